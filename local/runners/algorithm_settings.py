"""The hyperparameters that the built-in XGBoost knows, with what it takes for each: all of them come as strings."""
import ast

import algorithm_metrics

ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
FLAG = ("true", "false")
# Name: least and greatest, None for open ends.
WHOLE = {
    "num_round": (1, None), "csv_weights": (0, 1), "early_stopping_rounds": (1, None), "verbosity": (0, 3), "nthread": (1, None), "max_depth": (0, None),
    "refresh_leaf": (0, 1), "max_leaves": (0, None), "max_bin": (0, None), "one_drop": (0, 1), "num_class": (2, None), "num_parallel_tree": (1, None),
    "seed": (-(2**31) + 1, 2**31 - 2), "prob_buffer_row": (2, None),
}
NUMBER = {
    "eta": (0, 1), "gamma": (0, None), "min_child_weight": (0, None), "max_delta_step": (0, None), "subsample": (0, 1), "colsample_bytree": (0, 1),
    "colsample_bylevel": (0, 1), "colsample_bynode": (0, 1), "lambda": (0, None), "alpha": (0, None), "sketch_eps": (0, 1), "scale_pos_weight": (0, None),
    "rate_drop": (0, 1), "skip_drop": (0, 1), "lambda_bias": (0, 1), "tweedie_variance_power": (1, 2), "base_score": (0, None),
    "aft_loss_distribution_scale": (0, None),
}
CHOICE = {
    "booster": ("gbtree", "gblinear", "dart"),
    "tree_method": ("auto", "exact", "approx", "hist", "gpu_hist"),
    "dsplit": ("row", "col"),
    "process_type": ("default", "update"),
    "grow_policy": ("depthwise", "lossguide"),
    "predictor": ("auto", "cpu_predictor", "gpu_predictor"),
    "sample_type": ("uniform", "weighted"),
    "normalize_type": ("tree", "forest"),
    "objective": (
        "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map",
        "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie",
        "survival:aft", "survival:cox",
    ),
    "save_model_on_termination": FLAG,
    "aft_loss_distribution": ("normal", "logistic", "extreme"),
    "deterministic_histogram": FLAG,
    "sampling_method": ("uniform", "gradient_based"),
    "use_dask_gpu_training": FLAG,
}
LISTS = ("eval_metric", "updater")
LITERALS = ("monotone_constraints", "interaction_constraints")
# Of the image alone: XGBoost would warn of them.
OF_THE_IMAGE = ("num_round", "csv_weights", "early_stopping_rounds", "save_model_on_termination", "use_dask_gpu_training", "_tuning_objective_metric")
NOT_PLAYED = ("_kfold", "_num_cv_round")


class UserError(Exception):
    """What whoever asked for the training can mend."""


class Settings:
    def __init__(self, values):
        self.rounds = values["num_round"]
        self.weighted = values.get("csv_weights") == 1
        self.patience = values.get("early_stopping_rounds")
        self.saves_on_termination = values.get("save_model_on_termination") == "true"
        # A tuning adds the metric that it decides by, as validation:rmse.
        objective = values.get("_tuning_objective_metric", "").rpartition(":")[2]
        named = values.get("eval_metric") or []
        wanted = [*named, *([objective] if objective and objective not in named else [])]
        self.deciding_metric = objective or (named[-1] if named else None)
        self.own_metrics = [name for name in wanted if name in algorithm_metrics.OWN]
        self.parameters = {name: value for name, value in values.items() if name not in OF_THE_IMAGE and name != "eval_metric"}
        rest = [name for name in wanted if name not in algorithm_metrics.OWN]
        if rest:
            self.parameters["eval_metric"] = rest


def within(name, value, bounds):
    least, greatest = bounds
    if (least is not None and value < least) or (greatest is not None and value > greatest):
        shown = "[%s, %s]" % ("-inf" if least is None else least, "+inf" if greatest is None else greatest)
        raise UserError("Hyperparameter %s: %s is not in %s" % (name, value, shown))
    return value


def parsed(name, text):
    if name in NOT_PLAYED:
        raise UserError("Hyperparameter %s: the local engine runs no cross validation" % name)
    try:
        if name in WHOLE:
            return within(name, int(text), WHOLE[name])
        if name in NUMBER:
            return within(name, float(text), NUMBER[name])
        if name in LITERALS:
            return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise UserError("Hyperparameter %s: could not parse value (caused by %s)" % (name, type(error).__name__)) from error
    if name in LISTS:
        return [item.strip() for item in text.split(",")]
    if name == "_tuning_objective_metric":
        return text
    if name not in CHOICE:
        raise UserError("Extraneous hyperparameter found: %s" % name)
    if text not in CHOICE[name]:
        raise UserError("Hyperparameter %s: %s is not in %s" % (name, text, list(CHOICE[name])))
    return text


def check_together(values):
    objective = values.get("objective", "")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if "auc" in values.get("eval_metric", []) and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    for metric in values.get("eval_metric", []):
        known, _, threshold = metric.partition("@")
        if metric not in algorithm_metrics.KNOWN and not (threshold and known in ("error", "ndcg", "map")):
            raise UserError("Hyperparameter eval_metric: value %s not in range %s" % (metric, sorted(algorithm_metrics.KNOWN)))
    if values.get("use_dask_gpu_training") == "true":
        raise UserError("Some configurations unsuitable for Dask GPU training were found: the local engine has no GPU")
    if "updater" in values:
        values["updater"] = ",".join(values["updater"])


def read(given):
    texts = {ALIASES.get(name, name): str(text) for name, text in given.items()}
    if "num_round" not in texts:
        raise UserError("Missing required hyperparameter: num_round")
    values = {name: parsed(name, text) for name, text in texts.items()}
    check_together(values)
    return Settings(values)
