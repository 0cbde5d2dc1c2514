#!/bin/sh
# First start: Superset's own database, an administrator, and the lake as a database named "lake".
# In its SQL Lab:  SELECT * FROM read_parquet('/lake/speed/candles_1m/*/*.parquet', hive_partitioning = true)
set -eu
superset db upgrade
superset fab create-admin --username admin --password tallow-on-this-machine \
    --firstname Tallow --lastname Admin --email admin@localhost
superset init
superset set-database-uri --database_name lake --uri duckdb:///:memory:
exec gunicorn --bind 0.0.0.0:8088 --worker-class gthread --threads 8 --timeout 120 "superset.app:create_app()"
