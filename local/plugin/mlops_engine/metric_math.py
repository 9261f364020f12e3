"""Statistics of a metric over a window, and CloudWatch's metric math over several of them."""

import ast
import re

from ministack.services import cloudwatch

_AGGREGATES = {
    'SUM': sum, 'MIN': min, 'MAX': max, 'AVG': lambda values: sum(values) / len(values),
}
_NAME = re.compile(r'\b(AND|OR)\b')


def statistic(namespace, name, dimensions: dict, stat: str, start: float, end: float):
    """The statistic of exactly this metric (no other dimensions) over (start, end], or None without data."""
    points = cloudwatch._metrics.get((namespace, name, cloudwatch._dims_key(dimensions))) or []
    points = [point for point in list(points) if start < point['Timestamp'] <= end]
    if not points:
        return None
    return cloudwatch._stat_value(cloudwatch._calc_stats(points), stat, points)


def period_of(queries: list) -> int:
    periods = [int(q.get('Period') or (q.get('MetricStat') or {}).get('Period') or 0) for q in queries]
    return max(periods) or 60


def problem(queries: list) -> str | None:
    """Why these queries cannot be evaluated, or None."""
    known = {query.get('Id') for query in queries}
    for query in queries:
        if not query.get('Expression'):
            continue
        try:
            tree = _parse(query['Expression'])
        except SyntaxError:
            return f"The expression {query['Expression']!r} cannot be evaluated in the local engine"
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(_AGGREGATES) - {'IF', 'FILL', 'ABS', 'METRICS'}
        if names - known:
            return f"The expression {query['Expression']!r} uses what the local engine does not know: {', '.join(sorted(names - known))}"
    if sum(1 for query in queries if query.get('ReturnData', True) not in (False, 'false')) != 1:
        return 'Exactly one of the metrics must have ReturnData true'
    return None


def alarm_values(alarm: dict, now: float) -> list:
    """One value per evaluation period, the newest first."""
    period = period_of(alarm['Metrics'])
    wanted = next(query for query in alarm['Metrics'] if query.get('ReturnData', True) not in (False, 'false'))
    return [
        query_values(alarm['Metrics'], now - period * (back + 1), now - period * back).get(wanted['Id'])
        for back in range(int(alarm.get('EvaluationPeriods') or 1))
    ]


def query_values(queries: list, start: float, end: float) -> dict:
    """The value of every query over one window; None where it has none."""
    values: dict = {}
    for query in queries:
        stat = query.get('MetricStat')
        if stat:
            metric = stat.get('Metric') or {}
            values[query['Id']] = statistic(
                metric.get('Namespace'), metric.get('MetricName'), cloudwatch._dims_from_list(metric.get('Dimensions') or []),
                stat.get('Stat', 'Average'), start, end)
    pending = [query for query in queries if query.get('Expression')]
    # Expressions may use each other in any order.
    for _ in range(len(pending)):
        for query in pending:
            values[query['Id']] = _evaluate(_parse(query['Expression']).body, values)
    return values


def _parse(expression: str) -> ast.Expression:
    text = expression.replace('&&', ' and ').replace('||', ' or ').replace('^', '**')
    return ast.parse(_NAME.sub(lambda match: match.group(1).lower(), text).strip(), mode='eval')


def _evaluate(node, values: dict):
    """The value of the expression; None as soon as something it needs is missing, as CloudWatch leaves the datapoint out."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else float(node.value)
    if isinstance(node, ast.Name):
        return values.get(node.id)
    if isinstance(node, ast.List):
        return [_evaluate(item, values) for item in node.elts]
    if isinstance(node, ast.Call):
        return _call(node, values)
    if isinstance(node, ast.UnaryOp):
        value = _evaluate(node.operand, values)
        return None if value is None else -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BoolOp):
        parts = [_evaluate(part, values) for part in node.values]
        if None in parts:
            return None
        return float(all(parts) if isinstance(node.op, ast.And) else any(parts))
    if isinstance(node, ast.Compare):
        return _compare(node, values)
    if isinstance(node, ast.BinOp):
        return _arithmetic(node.op, _evaluate(node.left, values), _evaluate(node.right, values))
    raise ValueError(f'Not evaluated in the local engine: {ast.dump(node)}')


def _call(node: ast.Call, values: dict):
    name = getattr(node.func, 'id', '')
    arguments = [_evaluate(argument, values) for argument in node.args]
    if name == 'FILL':
        # REPEAT and LINEAR need the series; a window alone has nothing to repeat.
        return arguments[1] if arguments[0] is None and isinstance(arguments[1], float) else arguments[0]
    if name == 'IF':
        if arguments[0] is None:
            return None
        return arguments[1] if arguments[0] else (arguments[2] if len(arguments) > 2 else None)
    if name == 'METRICS':
        return [value for value in values.values() if value is not None]
    if name == 'ABS':
        return None if arguments[0] is None else abs(arguments[0])
    if name in _AGGREGATES:
        given = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments
        measured = [value for value in given if value is not None]
        return _AGGREGATES[name](measured) if measured else None
    raise ValueError(f'{name} is not evaluated in the local engine')


def _compare(node: ast.Compare, values: dict):
    left, right = _evaluate(node.left, values), _evaluate(node.comparators[0], values)
    if left is None or right is None:
        return None
    operators = {
        ast.Gt: left > right, ast.GtE: left >= right, ast.Lt: left < right, ast.LtE: left <= right, ast.Eq: left == right, ast.NotEq: left != right}
    return float(operators[type(node.ops[0])])


def _arithmetic(operator, left, right):
    if left is None or right is None:
        return None
    if isinstance(operator, ast.Add):
        return left + right
    if isinstance(operator, ast.Sub):
        return left - right
    if isinstance(operator, ast.Mult):
        return left * right
    if isinstance(operator, ast.Div):
        return left / right if right else None
    if isinstance(operator, ast.Pow):
        return left ** right
    raise ValueError('Not evaluated in the local engine')
