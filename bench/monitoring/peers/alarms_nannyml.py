"""NannyML's univariate drift with its default methods and thresholds, one chunk for each window."""

import os
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
os.environ["NML_DISABLE_USER_ANALYTICS"] = "1"
warnings.filterwarnings("ignore")

import nannyml  # noqa: E402
import pandas as pd  # noqa: E402

from sets import main  # noqa: E402


def judge(features, reference, windows):
    names = [feature["name"] for feature in features]
    categorical = [feature["name"] for feature in features if feature["kind"] == "categorical"]
    size = round(sum(len(window) for window in windows) / len(windows))
    calculator = nannyml.UnivariateDriftCalculator(column_names=names, treat_as_categorical=categorical, chunk_size=size)
    calculator.fit(reference.reset_index(drop=True))
    live = pd.concat(windows).reset_index(drop=True)
    result = calculator.calculate(live).filter(period="analysis").to_df()
    alerts = result.loc[:, [column for column in result.columns if column[2] == "alert"]]
    # A last, shorter chunk is no window of its own.
    yield "NannyML, any column", alerts.any(axis=1).tolist()[: len(windows)]


main(judge)
