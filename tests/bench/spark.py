"""One-minute candles of a topic of trades by Spark Structured Streaming: spark.py BROKERS TOPIC FOLDER.

The same job as tallow's: event time with a watermark of 10 s, OHLCV by symbol, Parquet in append mode with a
checkpoint, and all that the topic holds (availableNow). Prints one line of JSON. Written as most would write
it, with doubles; `seconds` counts from the query's start to its end, so the JVM's start is not held against it.
"""

import json
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

brokers, topic, folder = sys.argv[1:]

spark = (
    SparkSession.builder.master("local[2]")
    .appName("tallow-bench")
    .config("spark.jars.packages", "org.apache.spark:spark-sql-kafka-0-10_2.12:3.5.3")
    .config("spark.driver.memory", "3g")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.session.timeZone", "UTC")
    # `t` and `T` are two fields.
    .config("spark.sql.caseSensitive", "true")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")

trades = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", brokers)
    .option("subscribe", topic)
    .option("startingOffsets", "earliest")
    .load()
    .select(F.from_json(F.col("value").cast("string"), "s STRING, t LONG, p STRING, q STRING, T LONG").alias("trade"))
    .select(
        F.col("trade.s").alias("symbol"),
        F.col("trade.t").alias("id"),
        F.col("trade.p").cast("double").alias("price"),
        F.col("trade.q").cast("double").alias("quantity"),
        F.timestamp_millis(F.col("trade.T")).alias("time"),
    )
)
candles = (
    trades.withWatermark("time", "10 seconds")
    .groupBy(F.window("time", "1 minute"), "symbol")
    # By the id, which rises with time: by (time, id) Spark would sort rather than hash.
    .agg(
        F.min_by("price", "id").alias("open"),
        F.max("price").alias("high"),
        F.min("price").alias("low"),
        F.max_by("price", "id").alias("close"),
        F.sum("quantity").alias("volume"),
        F.sum(F.col("price") * F.col("quantity")).alias("quote_volume"),
        F.count("*").alias("trades"),
    )
    .select("window.start", "window.end", "symbol", "open", "high", "low", "close", "volume", "quote_volume", "trades")
)

start = time.monotonic()
query = (
    candles.writeStream.format("parquet")
    .outputMode("append")
    .option("path", folder + "/candles")
    .option("checkpointLocation", folder + "/checkpoint")
    .trigger(availableNow=True)
    .start()
)
query.awaitTermination()
seconds = time.monotonic() - start

last = F.date_format(F.max("end"), "yyyy-MM-dd'T'HH:mm:ss'Z'")
totals = spark.read.parquet(folder + "/candles").agg(F.sum("trades").alias("trades"), last.alias("last_window_end"))
print(json.dumps({"seconds": seconds, **totals.first().asDict()}))
