"""Minutes to days by DuckDB's SQL, exactly: days.py GLOB OUTPUT.

Prices are decimals of 8 places. Volumes have up to 22 places and are kept at 18, half to even, as integers of 128 bits:
so every sum is exact, and the last digit is to agree. A line of CSV a day, volumes as whole units of 10^-18.
"""

import sys

import duckdb

pattern, output = sys.argv[1:]
duckdb.sql(
    f"""
    COPY (
        WITH texts AS (
            SELECT timestamp_ms::BIGINT AS time, open::DECIMAL(38, 8) AS open, high::DECIMAL(38, 8) AS high,
                   low::DECIMAL(38, 8) AS low, close::DECIMAL(38, 8) AS close,
                   replace(volume::DECIMAL(38, 24)::VARCHAR, '.', '')::HUGEINT AS fine
            FROM read_csv('{pattern}', all_varchar = true)
        ),
        cut AS (SELECT *, fine // 1000000 AS kept, fine % 1000000 AS rest FROM texts),
        rows AS (
            SELECT *, kept + CASE WHEN rest > 500000 OR (rest = 500000 AND kept % 2 = 1) THEN 1 ELSE 0 END AS units
            FROM cut
        )
        SELECT time // 86400000 AS day, arg_min(open, time) AS open, max(high) AS high, min(low) AS low,
               arg_max(close, time) AS close, sum(units)::HUGEINT AS volume, count(*) AS klines
        FROM rows GROUP BY day ORDER BY day
    ) TO '{output}' (HEADER)
    """
)
