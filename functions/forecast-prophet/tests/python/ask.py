"""Prophet for Python, asked by the module beside it: a line of JSON per job in, a line of JSON out.

A job has `ds` (days since 1970), `y`, `ahead` (days to forecast after the last), `settings` (of Prophet's constructor),
`level`, and may have `cap` and `floor` (numbers), `holidays` (lists of name, day, lower, upper) and `regressors` (name
to values, of the history and ahead). The answer has `yhat`, `lower` and `upper` of all days, and the parameters.
"""

import json
import logging
import sys
import warnings

logging.disable(logging.CRITICAL)
warnings.filterwarnings("ignore")

import numpy
import pandas
from prophet import Prophet


def day(number):
    return pandas.Timestamp("1970-01-01") + pandas.Timedelta(days=number)


def run(job):
    numpy.random.seed(42)
    history = pandas.DataFrame({"ds": [day(it) for it in job["ds"]], "y": job["y"]})
    last = job["ds"][-1]
    days = job["ds"] + [last + 1 + it for it in range(job["ahead"])]
    future = pandas.DataFrame({"ds": [day(it) for it in days]})
    settings = dict(job["settings"])
    if job.get("holidays"):
        rows = [(name, day(at), lower, upper) for name, at, lower, upper in job["holidays"]]
        settings["holidays"] = pandas.DataFrame(rows, columns=["holiday", "ds", "lower_window", "upper_window"])
    model = Prophet(interval_width=job["level"], **settings)
    for name in ("cap", "floor"):
        if job.get(name) is not None:
            history[name] = job[name]
            future[name] = job[name]
    for name, values in job.get("regressors", {}).items():
        history[name] = values[: len(history)]
        future[name] = values
        model.add_regressor(name)
    model.fit(history)
    forecast = model.predict(future)
    names = {"yhat": "yhat", "lower": "yhat_lower", "upper": "yhat_upper", "trend": "trend"}
    answer = {ours: list(forecast[theirs]) for ours, theirs in names.items()}
    for name in ("k", "m", "sigma_obs"):
        answer[name] = float(numpy.asarray(model.params[name]).reshape(-1)[0])
    return answer


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
