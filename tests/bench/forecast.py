"""Prophet for Python, asked by tests/bench/src/forecast.rs.

Reads a line of JSON per job from standard input: `file` (CSV: ds, y), `horizon` (days), `settings`. Fits and forecasts,
and answers with a line of JSON: `seconds` (the fit and the forecast, without Python's start and the reading of the
file) and `yhat` of the horizon.
"""

import json
import logging
import sys
import time

logging.disable(logging.CRITICAL)

import pandas
from prophet import Prophet

for line in sys.stdin:
    job = json.loads(line)
    frame = pandas.read_csv(job["file"], parse_dates=["ds"])
    start = time.monotonic()
    model = Prophet(**job["settings"])
    model.fit(frame)
    future = model.make_future_dataframe(job["horizon"])
    forecast = model.predict(future)
    seconds = time.monotonic() - start
    print(json.dumps({"seconds": seconds, "yhat": list(forecast["yhat"].tail(job["horizon"]))}), flush=True)
