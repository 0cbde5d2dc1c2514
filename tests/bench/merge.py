"""Batch and stream as one table by DuckDB: merge.py make|query|compare LAKE [ARGUMENTS].

make LAKE YEARS SYMBOLS: writes a lake as `tallow batch` and a stream leave it: minutes of batch, a partition a symbol and
year, with a hole a month; and speed files, one a symbol and hour, of the ten days around the end of batch, half of whose
windows come again in a second revision.

query LAKE OUTPUT: the same table that `tallow merge` serves, as DuckDB writes it: for each symbol and minute the best row,
holes filled, two averages; a partition a symbol and year, with the forecast's table beside it. Prints one line of JSON:
`seconds` is the query and the writing of its results, without Python's start.

compare LAKE OUTPUT: holds each row of one to the other's. Prints one line of JSON: `rows`, and how many are `differing`.
"""

import calendar
import json
import os
import sys
import time

import duckdb

what, lake = sys.argv[1:3]
db = duckdb.connect()
# DuckDB's package has no time zones without an extension: times are taken as their microseconds.
db.sql("CREATE MACRO utc(moment) AS make_timestamp(epoch_us(moment))")

START_YEAR = 2020

def cells(salt):
    """Prices and volumes that are not round: sums of them depend on their order."""
    noise = lambda column: f"hash(symbol, n, {10 * salt + column})"
    return f"""
        100 + {noise(1)} % 1000 / 7 AS open, open + {noise(2)} % 100 / 7 AS high, open - {noise(3)} % 100 / 7 AS low,
        open + {noise(4)} % 100 / 9 AS close, {noise(5)} % 100000 / 3 AS volume, ({noise(6)} % 500)::BIGINT AS trades
    """


WINDOW = "make_timestamptz((n * 60000000)::BIGINT) AS window_start, make_timestamptz(((n + 1) * 60000000)::BIGINT) AS window_end"
PARQUET = "FORMAT parquet, COMPRESSION zstd"


def minute(year):
    """The first of a year, in minutes since 1970 UTC."""
    return calendar.timegm((year, 1, 1, 0, 0, 0)) // 60


def make(years, symbols):
    last = START_YEAR + years
    for index in range(symbols):
        symbol = f"S{index:02}USD"
        for year in range(START_YEAR, last):
            folder = f"{lake}/batch/minutes/symbol={symbol}/year={year}"
            os.makedirs(folder, exist_ok=True)
            db.sql(f"""
                COPY (
                    SELECT '{symbol}' AS symbol, {WINDOW}, {cells(0)}, true AS complete, 0::BIGINT AS revision, false AS filled
                    FROM range({minute(year)}, {minute(year + 1)}) AS minutes(n)
                    WHERE n % 43200 >= 37 ORDER BY n
                ) TO '{folder}/data.parquet' ({PARQUET})
            """)
        for hour in range(minute(last) // 60 - 120, minute(last) // 60 + 120):
            date = time.strftime("%Y-%m-%d", time.gmtime(hour * 3600))
            folder = f"{lake}/speed/candles_1m/date={date}"
            os.makedirs(folder, exist_ok=True)
            for revision, source in [(0, "stream"), (1, "backfill")]:
                db.sql(f"""
                    COPY (
                        SELECT '{symbol}' AS symbol, {WINDOW}, {cells(revision + 1)},
                               n % 11 <> 0 AS complete, {revision}::BIGINT AS revision
                        FROM range({hour * 60}, {hour * 60 + 60}) AS minutes(n)
                        WHERE {revision} = 0 OR n % 2 = 0 ORDER BY n
                    ) TO '{folder}/{symbol}-{hour}-{revision}.parquet'
                    ({PARQUET}, KV_METADATA {{'tallow.source': '{source}'}})
                """)


def query(output):
    start = time.monotonic()
    db.sql(f"""
        CREATE TEMP TABLE sources AS
        SELECT file_name AS filename, decode(value) AS source
        FROM parquet_kv_metadata('{lake}/speed/candles_1m/*/*.parquet') WHERE decode(key) = 'tallow.source'
    """)
    db.sql(f"""
        CREATE TEMP TABLE merged AS
        WITH candidates AS (
            SELECT symbol, window_start, open, high, low, close, volume, trades, complete, revision, 'batch' AS source
            FROM read_parquet('{lake}/batch/minutes/**/*.parquet', hive_partitioning = false) WHERE NOT filled
            UNION ALL BY NAME
            SELECT symbol, window_start, open, high, low, close, volume, trades, complete, revision,
                   if(sources.source = 'backfill', 'backfill', 'speed') AS source
            FROM read_parquet('{lake}/speed/candles_1m/*/*.parquet', filename = true, hive_partitioning = false)
            LEFT JOIN sources USING (filename)
        ),
        best AS (
            SELECT * REPLACE (utc(window_start) AS window_start) FROM candidates
            QUALIFY row_number() OVER (
                PARTITION BY symbol, window_start
                ORDER BY CASE WHEN complete THEN 0 WHEN complete IS NULL THEN 1 ELSE 2 END, source <> 'batch',
                         revision DESC, source <> 'backfill'
            ) = 1
        ),
        minutes AS (
            SELECT symbol, unnest(generate_series(min(window_start), max(window_start), INTERVAL 1 MINUTE)) AS window_start
            FROM best GROUP BY symbol
        ),
        carried AS (
            SELECT symbol, window_start, window_start + INTERVAL 1 MINUTE AS window_end, best.close IS NULL AS filled,
                   source, revision, if(best.close IS NULL, false, complete) AS complete,
                   last_value(open IGNORE NULLS) OVER back AS open, last_value(high IGNORE NULLS) OVER back AS high,
                   last_value(low IGNORE NULLS) OVER back AS low, last_value(close IGNORE NULLS) OVER back AS close,
                   coalesce(volume, 0) AS volume, coalesce(trades, 0) AS trades
            FROM minutes LEFT JOIN best USING (symbol, window_start)
            WINDOW back AS (PARTITION BY symbol ORDER BY window_start)
        )
        SELECT *, avg(close) OVER (PARTITION BY symbol ORDER BY window_start ROWS 6 PRECEDING) AS ma7,
               avg(close) OVER (PARTITION BY symbol ORDER BY window_start ROWS 29 PRECEDING) AS ma30,
               year(window_start) AS year
        FROM carried
    """)
    for table, columns in [("serving", "*"), ("prophet", "window_start AS ds, close AS y, symbol, year")]:
        db.sql(f"COPY (SELECT {columns} FROM merged ORDER BY symbol, window_start) TO '{output}/{table}' "
               f"({PARQUET}, PARTITION_BY (symbol, year))")
    print(json.dumps({"seconds": time.monotonic() - start}))


def compare(output):
    db.sql(f"""
        CREATE TEMP TABLE served AS
        SELECT * REPLACE (utc(window_start) AS window_start, utc(window_end) AS window_end)
        FROM read_parquet('{lake}/serving/minutes/**/*.parquet', hive_partitioning = true)
    """)
    rows, differing = db.sql(f"""
        SELECT count(*), count(*) FILTER (
            expected.symbol IS NULL OR served.symbol IS NULL OR expected.window_end <> served.window_end
            OR (expected.open, expected.high, expected.low, expected.close, expected.volume, expected.trades)
               IS DISTINCT FROM (served.open, served.high, served.low, served.close, served.volume, served.trades)
            OR (expected.filled, expected.source, expected.complete, expected.revision)
               IS DISTINCT FROM (served.filled, served.source, served.complete, served.revision)
            OR abs(expected.ma7 - served.ma7) > 1e-9 * expected.ma7
            OR abs(expected.ma30 - served.ma30) > 1e-9 * expected.ma30
            OR prophet.y IS DISTINCT FROM served.close
        )
        FROM read_parquet('{output}/serving/**/*.parquet', hive_partitioning = true) AS expected
        FULL JOIN served USING (symbol, window_start)
        LEFT JOIN read_parquet('{lake}/prophet_input/minutes/**/*.parquet', hive_partitioning = true) AS prophet
          ON prophet.symbol = served.symbol AND prophet.ds = served.window_start
    """).fetchall()[0]
    print(json.dumps({"rows": rows, "differing": differing}))


if what == "make":
    make(int(sys.argv[3]), int(sys.argv[4]))
elif what == "query":
    query(sys.argv[3])
else:
    compare(sys.argv[3])
