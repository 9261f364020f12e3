"""Metrics of the built-in XGBoost that are not XGBoost's own: over labels, from what the objective's margin or probabilities say."""
MAXIMIZED = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2", "recall", "precision_macro",
    "precision_micro", "recall_macro", "recall_micro",
)
MINIMIZED = (
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss", "mae", "mape", "merror", "mlogloss",
    "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
)
KNOWN = frozenset(MAXIMIZED + MINIMIZED)
# Name here: the function of sklearn.metrics, and how it averages over classes.
LABELS = {
    "accuracy": ("accuracy_score", None), "balanced_accuracy": ("balanced_accuracy_score", None), "f1": ("f1_score", "macro"),
    "f1_binary": ("f1_score", "binary"), "f1_macro": ("f1_score", "macro"), "precision": ("precision_score", "binary"),
    "precision_macro": ("precision_score", "macro"), "precision_micro": ("precision_score", "micro"), "recall": ("recall_score", "binary"),
    "recall_macro": ("recall_score", "macro"), "recall_micro": ("recall_score", "micro"),
}
VALUES = {"mse": "mean_squared_error", "r2": "r2_score"}
OWN = frozenset([*LABELS, *VALUES])


def labels_of(predictions):
    """XGBoost hands a metric of one's own the transformed prediction: a probability for two classes, one for each class for more."""
    import numpy as np

    return np.argmax(predictions, axis=-1) if predictions.ndim > 1 else (predictions > 0.5).astype(int)


def value(name, predictions, truth):
    import sklearn.metrics

    if name in VALUES:
        return float(getattr(sklearn.metrics, VALUES[name])(truth, predictions))
    function, average = LABELS[name]
    options = {"average": average} if average else {}
    if function.startswith("precision"):
        options["zero_division"] = 0
    return float(getattr(sklearn.metrics, function)(truth, labels_of(predictions), **options))


def together(names):
    """One function for XGBoost, or none where all metrics are its own."""
    if not names:
        return None

    def evaluate(predictions, data):
        truth = data.get_label()
        return [(name, value(name, predictions, truth)) for name in names]

    return evaluate
