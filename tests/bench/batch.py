"""Minutes to days by Polars or DuckDB: batch.py polars|duckdb GLOB OUTPUT.

The same job as tallow's: the files of a glob, a symbol each (its name up to the first dash), lines of
`open time in ms,open,high,low,close,volume`; a candle a symbol and UTC day. Written as most would write it, with
doubles, without what tallow does beside (duplicates, gaps, bad lines, fills, averages). Prints one line of JSON:
`seconds` is the query and the writing of its result, without Python's start.
"""

import json
import sys
import time

engine, pattern, output = sys.argv[1:]
NAMES = ["open_time", "open", "high", "low", "close", "volume"]


def by_polars():
    import polars as pl

    start = time.monotonic()
    symbol = pl.col("file").str.extract(r"([A-Z]+)-[^/]*$").alias("symbol")
    (
        pl.scan_csv(pattern, has_header=True, include_file_paths="file")
        .with_columns((pl.col("open_time") // 86_400_000).alias("day"))
        .group_by("file", "day")
        .agg(
            pl.col("open").sort_by("open_time").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").sort_by("open_time").last(),
            pl.col("volume").sum(),
            pl.len().alias("klines"),
        )
        .with_columns(symbol)
        .drop("file")
        .collect(engine="streaming")
        .write_csv(output)
    )
    return time.monotonic() - start


def by_duckdb():
    import duckdb

    start = time.monotonic()
    duckdb.sql(
        f"""
        COPY (
            SELECT regexp_extract(filename, '([A-Z]+)-[^/]*$', 1) AS symbol, open_time // 86400000 AS day,
                   arg_min(open, open_time) AS open, max(high) AS high, min(low) AS low,
                   arg_max(close, open_time) AS close, sum(volume) AS volume, count(*) AS klines
            FROM read_csv('{pattern}', filename = true)
            GROUP BY ALL
        ) TO '{output}' (HEADER)
        """
    )
    return time.monotonic() - start


print(json.dumps({"seconds": by_polars() if engine == "polars" else by_duckdb()}))
