"""A grid search with Prophet for Python, as tests/bench/src/grid.rs has it done by tallow: grid.py FILE serial|processes.

FILE is CSV: ds, y. Averages of 7 and 30 days are regressors, and the test set has those of the very day. Every combination
is fitted on the first four fifths and judged on the rest; the one with the smallest error there is cross-validated with
Prophet's own cuts, one fit after the other or over all processors; the last fit, of all rows, forecasts 30 days. Prints one
line of JSON: `seconds` is all of that, without Python's start and the reading of the file; `fits`, `test` and
`cross_validated` (errors in percent).
"""

import json
import logging
import sys
import time

logging.disable(logging.CRITICAL)

import pandas
from prophet import Prophet
from prophet.diagnostics import cross_validation

file, way = sys.argv[1:]
AVERAGES = {"ma7": 7, "ma30": 30}
HOLIDAYS = pandas.DataFrame(
    {
        "holiday": "halving",
        "ds": pandas.to_datetime(["2016-07-09", "2020-05-11", "2024-04-20"]),
        "lower_window": -7,
        "upper_window": 7,
    }
)


def fitted(frame, settings):
    model = Prophet(holidays=HOLIDAYS, daily_seasonality=True, **settings)
    for name in AVERAGES:
        model.add_regressor(name)
    return model.fit(frame)


def error(frame):
    return 100 * ((frame["y"] - frame["yhat"]).abs() / frame["y"].clip(lower=1e-8)).mean()


def search(frame):
    rows = int(0.8 * len(frame))
    train, test = frame[:rows], frame[rows:]
    best = None
    fits = 0
    for mode in ["additive", "multiplicative"]:
        for scale in [0.01, 0.05, 0.1]:
            settings = {"seasonality_mode": mode, "changepoint_prior_scale": scale}
            model = fitted(train, settings)
            fits += 1
            found = error(test.assign(yhat=model.predict(test)["yhat"].values))
            print(f"  python: {mode}, {scale}: {found:.2f} %", file=sys.stderr)
            if best is None or found < best[0]:
                best = (found, model, settings)
    parallel = "processes" if way == "processes" else None
    folds = cross_validation(best[1], horizon="30 days", parallel=parallel, disable_tqdm=True)
    fits += folds["cutoff"].nunique()
    last = fitted(frame, best[2])
    fits += 1
    days = pandas.date_range(frame["ds"].iloc[-1], periods=31, freq="D")[1:]
    last.predict(pandas.DataFrame({"ds": days, **{name: frame[name].iloc[-1] for name in AVERAGES}}))
    return fits, best[0], error(folds)


if __name__ == "__main__":
    frame = pandas.read_csv(file, parse_dates=["ds"])
    start = time.monotonic()
    for name, length in AVERAGES.items():
        frame[name] = frame["y"].rolling(length, min_periods=1).mean()
    fits, test, cross_validated = search(frame)
    seconds = time.monotonic() - start
    print(json.dumps({"seconds": seconds, "fits": fits, "test": test, "cross_validated": cross_validated}))
