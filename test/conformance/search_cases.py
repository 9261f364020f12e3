"""Records and searches of search-reference.py: what users write, and what they get wrong."""

# name, tags, deleted
EXPERIMENTS = [
    ('Alpha', {'team': 'Red', 'größe': 'Ä'}, False),
    ('alpha', {'team': 'blue'}, False),
    ('beta_1', {'team': 'red', 'empty': ''}, False),
    ('beta%1', {'mlflow.note.content': "it's"}, False),
    ('日本', {}, False),
    ('gone', {'team': 'red'}, True),
    ('é', {'team': '100%'}, False),
    ('𝔘nicode', {'TEAM': 'x'}, False),
]

RUNS = [
    {'name': 'r0', 'start': 1000, 'end': 2000, 'user': 'ann', 'status': 'FINISHED', 'params': {'lr': '0.1', 'opt': 'Adam'}, 'tags': {'stage': 'dev', 'k': 'v'},
     'metrics': {'acc': 0.5, 'loss': 1.0}, 'datasets': [('iris', 'd1', 'training'), ('wine', 'd2', 'eval')]},
    {'name': 'r1', 'start': 1000, 'user': 'bob', 'status': 'FAILED', 'params': {'lr': '0.01', 'opt': 'adam'}, 'tags': {'stage': 'Dev'},
     'metrics': {'acc': 0.9, 'loss': 'NaN'}, 'datasets': [('iris', 'd3', 'eval')]},
    {'name': 'r2', 'start': 1000, 'params': {'lr': '1e-3', 'opt': 'SGD'}, 'tags': {'stage': 'prod', 'note': "it's"}, 'metrics': {'acc': 'NaN', 'loss': -1}},
    {'name': 'R3', 'start': 5000, 'end': 5000, 'user': 'Ann', 'params': {'lr': '10', 'a b': 'spaced'}, 'tags': {'a b': 'x y'}, 'metrics': {'acc': 'Infinity', 'm x': 3}},
    {'name': 'r4', 'start': 4000, 'params': {'lr': '9', 'opt': 'a%b'}, 'tags': {'stage': '', 'q"q': 'dq'}, 'metrics': {'acc': '-Infinity', 'loss': 1e300}},
    {'name': 'r5', 'start': 0, 'params': {'opt': 'a_b', 'größe': 'Ä'}, 'tags': {'stage': 'ÄÖ', 'größe': '日本'}, 'metrics': {'loss': 0, 'größe': 7}},
    {'name': 'r6', 'start': 3000, 'end': 3500, 'user': 'bob', 'status': 'KILLED', 'params': {'empty': ''}, 'tags': {'t.dot': 'dotted', 'mlflow.parentRunId': 'p1'},
     'metrics': {'acc': 0.5, 'val.acc': 0.25}},
    {'name': 'r7', 'start': 3000, 'end': 3400, 'status': 'SCHEDULED', 'tags': {'stage': 'a"b'}, 'metrics': {'acc': 1}},
    {'name': 'ünïcode 🚀', 'start': 6000, 'params': {'opt': '🚀'}, 'tags': {'stage': 'line1\nline2'}, 'metrics': {'acc': 0.50000001, 'loss': 100}},
    {'name': 'r9', 'start': 2500, 'experiment': 1, 'user': 'zoe', 'params': {'lr': '0.1', 'opt': 'aXb'}, 'tags': {'stage': 'prod', 'mlflow.user': 'zoe'},
     'metrics': {'acc': 0.7, 'loss': 'NaN'}, 'datasets': [('Iris', 'd1', None), ('50%', 'd_4', 'training')]},
    {'name': 'r10', 'start': 1000, 'experiment': 1, 'params': {'lr': '0.10'}, 'tags': {'stage': 'dev'}, 'metrics': {'acc': 0.1, 'loss': 5}},
    {'name': 'r11', 'start': 9000, 'experiment': 1, 'params': {'lr': 'ｌ'}, 'tags': {'stage': '\U00010000', 'mlflow.parentRunId': 'p1'}, 'metrics': {'acc': 1e-9}},
    {'name': 'r12', 'start': 9500, 'experiment': 1, 'params': {}, 'tags': {'stage': '\uffee'}, 'metrics': {'acc': 0.5, 'loss': 2}},
    {'name': 'gone', 'start': 7000, 'params': {'lr': '0.1'}, 'tags': {'stage': 'dev'}, 'metrics': {'acc': 0.6}, 'deleted': True},
    {'name': 'r0', 'start': 7500, 'params': {'path': 'C:\\dir', 'q': "a''b"}, 'tags': {'stage': "dev'"}, 'metrics': {'acc': 0.61, '1st': 4}},
    {'name': 'elsewhere', 'start': 8000, 'experiment': 2, 'params': {'lr': '0.1'}, 'metrics': {'acc': 0.6}},
]

PROMPT = 'mlflow.prompt.is_prompt'
# name, tags, versions: source, run, tags
MODELS = [
    ('churn', {'team': 'red', 'Owner': 'ann'}, [('s3://b/1', 0, {'q': 'good'}), ('s3://b/2', 1, {'q': 'bad', 'x': '1'}), ('s3://c/3', None, {})]),
    ('Churn2', {'team': 'Red'}, [('s3://b/1', 2, {'q': 'good'})]),
    ('fraud_a', {}, [('s3://b/%', None, {'q': ''}), ('s3://b/2', 0, {'y': 'z', 'q': 'GOOD'})]),
    ('fraud%a', {'team': 'blue', 'note': "it's"}, []),
    ('größe', {'team': 'ÄÖ'}, [('s3://ü/1', None, {'größe': 'Ä'})]),
    ('日本', {'x y': 'z'}, []),
    ('ask-me', {PROMPT: 'true', 'team': 'red'}, [('dummy-source', None, {PROMPT: 'true'})]),
    ('not-a-prompt', {PROMPT: 'false'}, [('s3://b/9', None, {PROMPT: 'false', 'q': 'good'})]),
    ('𝔘', {'team': ''}, []),
    ('ﬀ', {}, []),
]

LOGGED_MODELS = [
    {'name': 'model', 'type': 'sklearn', 'run': 0, 'status': 'LOGGED_MODEL_READY', 'params': {'depth': '3', 'lr': '0.1'}, 'tags': {'k': 'v'},
     'metrics': [('acc', 0.5, 0, 100, 0, ('iris', 'd1')), ('acc', 0.9, 1, 200, 0, ('iris', 'd2')), ('acc', 0.2, 1, 200, 1, None)]},
    {'name': 'model', 'type': 'Sklearn', 'run': 1, 'params': {'depth': '10'}, 'tags': {'k': 'V'}, 'metrics': [('acc', 0.6, 0, 100, 1, ('wine', 'd1')), ('loss', -1, 0, 1, 1, None)]},
    {'name': 'Model', 'params': {'depth': ''}, 'metrics': [('acc', 0.7, 0, 50, 2, None)]},
    {'name': 'm_x', 'type': 'xgboost', 'status': 'LOGGED_MODEL_UPLOAD_FAILED', 'tags': {'a b': 'c d', 'it': "it's"}, 'metrics': [('loss', 3, 0, 1, 3, ('iris', 'd1'))]},
    {'name': 'mXx', 'experiment': 1, 'run': 9, 'params': {'größe': 'Ä'}, 'tags': {'größe': '日本'}, 'metrics': [('acc', 0.65, 5, 500, 9, ('iris', 'd1')), ('m x', 2, 0, 1, 9, None)]},
    {'name': 'dotted', 'experiment': 1, 'tags': {'t.dot': 'y'}, 'params': {'p.dot': '1'}, 'metrics': [('val.acc', 1, 0, 1, 9, None), ('acc', 0.65, 0, 1, 9, ('wine', 'd9'))]},
    {'name': 'elsewhere', 'experiment': 2},
]

RUN_FILTERS = [
    '', ' ', 'AND', "attributes.status = 'FINISHED'", "attribute.status = 'FINISHED'", "attr.status='FINISHED'", "run.status = 'FINISHED'", "status = 'FINISHED'",
    "Status = 'FINISHED'", "attributes.Status = 'FINISHED'", "Attributes.status = 'FINISHED'", "status = 'finished'", "status != 'RUNNING'", "status LIKE 'F%'",
    "status like 'f%'", "status ILIKE 'f%'", "status IN ('FINISHED')", "status > 'A'", "status = FINISHED", 'status = "FINISHED"', "status = `FINISHED`", "status = 5",
    "`status` = 'FINISHED'", "\"status\" = 'FINISHED'", "attributes.`status` = 'FINISHED'", "`attributes`.status = 'FINISHED'", "\"attributes\".status = 'FINISHED'",
    "`attributes.status` = 'FINISHED'", "run_id = '<run0>'", "attributes.run_id = '<run1>'", "run_id != '<run1>'", "run_id IN ('<run0>', '<run9>')",
    "run_id IN ('<run0>')", "run_id IN ('<run0>',)", "run_id in (\"<run0>\", '<run15>')", "run_id NOT IN ('<run0>', '<run1>')", "run_id not in ('<run0>')",
    "run_id IN ()", "run_id IN (1, 2)", "run_id IN (a)", "run_id IN '<run0>'", "run_id IN ('<run0>' '<run1>')", "run_id IN('<run0>')", "run_id = ('<run0>')",
    "attributes.run_id IN ('<run0>','none')", "run_id LIKE '<run0>'", "run_id LIKE '%'", "run_id ILIKE '%A%'", "run_id = '<run13>'", "run_id IN (\n'<run0>',\t'<run1>' )",
    "run_name = 'r0'", "attributes.run_name = 'r0'", "attributes.`run name` = 'r0'", "attributes.\"Run name\" = 'r0'", "attributes.'Run Name' = 'r0'", "attributes.RunName = 'r0'",
    "run_name LIKE 'r%'", "run_name ILIKE 'r%'", "run_name != 'r0'", "run_name LIKE 'r_'", "run_name LIKE '%🚀'", "run_name LIKE 'ünïcode _'", "run_name ILIKE 'ÜNÏCODE%'",
    "run_name IN ('r0')", "run_name = ''", "tags.mlflow.runName = 'r0'", "tags.`mlflow.runName` = 'r1'", "user_id = 'ann'", "user_id = ''", "user_id != 'ann'", "user_id ILIKE 'ANN'",
    "artifact_uri LIKE '%artifacts'", "artifact_uri = 'x'", "start_time = 1000", "start_time != 1000", "start_time > 1000", "start_time >= 3000", "start_time < 1000",
    "start_time <= 1000", "start_time > -1", "start_time < 0", "start_time > 1000.5", "start_time = 1e3", "start_time = '1000'", "start_time LIKE '1%'", "start_time IN (1000)",
    "start_time > 1000 AND start_time < 5000", "start_time>=1000 and start_time<=3000 And start_time != 3000", "attributes.start_time = 1000", "created = 1000", "Created > 3000",
    "attributes.created >= 4000", "end_time > 0", "end_time = 2000", "end_time != 2000", "end_time < 99999", "end_time IS NULL", "end_time IS NOT NULL", "lifecycle_stage = 'active'",
    "experiment_id = '1'", "unknown = 'x'", "attributes.unknown = 'x'", "metrics.acc > 0.5", "metric.acc > 0.5", "Metrics.acc > 0.5", "metrics.acc >= 0.5", "metrics.acc = 0.5",
    "metrics.acc != 0.5", "metrics.acc < 0.5", "metrics.acc <= 0.5", "metrics.acc > .5", "metrics.acc > 5.", "metrics.acc > -1", "metrics.acc > -.5", "metrics.acc > - 1",
    "metrics.acc > +1", "metrics.acc > 1e-3", "metrics.acc > 1E-3", "metrics.acc > 1.5e2", "metrics.acc > 1e+3", "metrics.acc > 1e400", "metrics.acc < 1e400", "metrics.acc > 0x1",
    "metrics.acc > '0.5'", 'metrics.acc > "0.5"', "metrics.acc > abc", "metrics.acc > nan", "metrics.acc = NaN", "metrics.acc = 'NaN'", "metrics.acc > inf", "metrics.acc > 1_000",
    "metrics.acc LIKE '0%'", "metrics.acc IN (1)", "metrics.acc IS NULL", "metrics.acc IS NOT NULL", "metrics.loss != 0", "metrics.loss = 0", "metrics.loss <= 0", "metrics.loss > -2",
    "metrics.loss < 1e300", "metrics.loss >= 1e300", "metrics.none = 1", "metrics.none != 1", "metrics.Acc > 0", "metrics.`m x` = 3", 'metrics."m x" = 3', "metrics.'m x' = 3",
    "metrics.m x = 3", "metrics.`m x`=3", "metrics.größe = 7", "metrics.`größe` = 7", "metrics.val.acc = 0.25", "metrics.`val.acc` = 0.25", "metrics.1st = 4", "metrics.`1st` = 4",
    "metrics.acc>0.5", "metrics.acc>0.5AND metrics.acc<1", "metrics.acc > 0.5 AND metrics.loss > 0", "metrics.acc > 0.5 and metrics.loss > 0", "metrics.acc > 0.5 OR metrics.loss > 0",
    "metrics.acc > 0.5 && metrics.loss > 0", "metrics.acc > 0.5, metrics.loss > 0", "metrics.acc > 0.5 metrics.loss > 0", "metrics.acc > 0.5 AND AND metrics.loss > 0",
    "AND metrics.acc > 0.5", "metrics.acc > 0.5 AND", "metrics.acc > 0.5;", "metrics.acc > 0.5; metrics.loss > 0", "(metrics.acc > 0.5)", "NOT metrics.acc > 0.5",
    "metrics.acc == 0.5", "metrics.acc <> 0.5", "metrics.acc => 0.5", "metrics.acc = = 0.5", "metrics.acc =", "metrics.acc", "= 0.5", "0.5 < metrics.acc", "1 = 1", "'a' = 'a'",
    "metrics.acc > metrics.loss", "metrics.acc BETWEEN 0 AND 1", "metrics. acc > 0.5", "metrics .acc > 0.5", "metrics.acc-1 > 0", "metrics.acc > 0.5 LIMIT 1", "acc > 0.5",
    "foo.acc > 0.5", "metrics.acc = 0.5 AND params.lr = '0.1' AND tags.stage = 'dev' AND status = 'FINISHED'", "metrics.acc > 0.5 -- comment", "metrics.acc > 0.5 /* c */",
    "\tmetrics.acc\n>\n0.5\n", "metrics.acc > 0.5 AND\nmetrics.acc < 0.8", "params.lr = '0.1'", "param.lr = '0.1'", "parameter.lr = '0.1'", "parameters.lr = '0.1'", "Params.lr = '0.1'",
    "params.LR = '0.1'", "params.lr = \"0.1\"", "params.lr = 0.1", "params.lr = abc", "params.lr = `0.1`", "params.lr != '0.1'", "params.lr > '0.1'", "params.lr LIKE '0.%'",
    "params.lr LIKE '%1%'", "params.lr like '0.%'", "params.lr LIKE '0._'", "params.lr IN ('0.1')", "params.lr NOT LIKE '0%'", "params.lr RLIKE '0.*'", "params.opt LIKE 'adam'",
    "params.opt ILIKE 'adam'", "params.opt ilike 'ADAM'", "params.opt LIKE 'a\\%b'", "params.opt LIKE 'a%b'", "params.opt LIKE 'a_b'", "params.opt = 'a_b'", "params.opt LIKE ''",
    "params.opt ILIKE 'A_B'", "params.opt = '🚀'", "params.opt LIKE '_'", "params.lr IS NULL", "params.lr IS NOT NULL", "params.lr is null", "params.lr is not null", "params.lr IS  NULL",
    "params.lr IS NOT  NULL", "params.lr  IS  NOT NULL", "params.lr = NULL", "params.lr IS", "params.lr NOT NULL", "params.none IS NULL", "params.none != 'x'", "params.none = ''",
    "params.empty = ''", "params.empty != ''", "params.empty = \"\"", "params.empty IS NOT NULL", "params.lr IS NULL AND params.opt IS NOT NULL", "params.lr IS NULL AND metrics.acc > 0",
    "params.`a b` = 'spaced'", 'params."a b" = "spaced"', "params.'a b' = 'spaced'", "params.größe = 'Ä'", "params.größe ILIKE 'ä'", "params.GRÖSSE = 'Ä'", "params.lr = 'ｌ'",
    "params.path = 'C:\\dir'", "params.path LIKE 'C:\\%'", "params.q = 'a''b'", "params.q = \"a''b\"", "params.lr = '0.1' AND params.lr = '0.1'", "params.lr = '0.1' AND params.lr = '0.01'",
    "params.values = 'x'", "params.in = 'x'", "params.order = 'x'", "params.lr = '0.1", "params.lr = 0.1'", "params.lr = ''0.1''", "params.lr = '0.1''", "params = '0.1'", "params. = 'x'",
    ".lr = 'x'", "params..lr = 'x'", "params.lr.x = 'x'", "params.`lr`.x = 'x'", "params.my-param = 'x'", "params.`my-param` = 'x'", "params.a/b = 'x'", "params.a:b = 'x'", "params.a@b = 'x'",
    "params.a$b = 'x'", "params._a = 'x'", "tags.stage = 'dev'", "tag.stage = 'dev'", "Tag.stage = 'dev'", "tags.stage != 'dev'", "tags.stage LIKE 'D%'", "tags.stage ILIKE 'D%'",
    "tags.stage = ''", "tags.stage != ''", "tags.stage = 'dev\\''", "tags.stage = \"dev'\"", "tags.stage = 'a\"b'", "tags.stage = 'ÄÖ'", "tags.stage ILIKE 'äö'", "tags.stage LIKE '__'",
    "tags.stage LIKE 'line1%'", "tags.stage LIKE 'line1_line2'", "tags.stage IS NULL", "tags.stage IS NOT NULL", "tags.`stage` IS NULL", "tags.stage IS NULL AND tags.k IS NULL",
    "tags.note = 'it''s'", "tags.note = \"it's\"", "tags.note LIKE '%''%'", "tags.`q\"q` = 'dq'", "tags.\"a b\" = 'x y'", "tags.`a b` = 'x y'", "tags.t.dot = 'dotted'", "tags.`t.dot` = 'dotted'",
    "tags.mlflow.parentRunId = 'p1'", "tags.`mlflow.parentRunId` = 'p1'", "tags.\"mlflow.parentRunId\" = 'p1'", "tags.`mlflow.parentRunId` = 'p1' AND start_time > 5000",
    "tags.`mlflow.parentRunId` IS NULL", "tags.mlflow.user = 'zoe'", "tags.stage = 'dev' AND tags.k = 'v'", "tags.stage > 'a'", "tags.stage IN ('dev')", "tags.stage = 5", "tags.none != 'x'",
    "tags.größe = '日本'", "tags.`größe` LIKE '日_'", "tags.stage = '\U00010000'", "tags.stage LIKE '%dev%' AND metrics.acc > 0.4 AND params.lr LIKE '0%'",
    "dataset.name = 'iris'", "datasets.name = 'iris'", "Dataset.name = 'iris'", "dataset.name != 'iris'", "dataset.name LIKE 'i%'", "dataset.name ILIKE 'i%'", "dataset.name IN ('iris', 'wine')",
    "dataset.name NOT IN ('iris')", "dataset.name IN ('50%')", "dataset.name > 'a'", "dataset.name = 5", "dataset.name = iris", "dataset.digest = 'd1'", "dataset.digest LIKE 'd_'",
    "dataset.digest IN ('d1', 'd3')", "dataset.context = 'training'", "dataset.context != 'training'", "dataset.context LIKE '%al'", "dataset.context IN ('eval')", "dataset.source = 'x'",
    "dataset.context = 'eval' AND dataset.name = 'iris'", "dataset.name = 'iris' AND dataset.name = 'wine'", "dataset.name = 'iris' AND dataset.digest = 'd2'", "dataset.name IS NULL",
    "dataset.`name` = 'iris'", "dataset.Name = 'iris'", "dataset.name = 'iris' AND metrics.acc > 0.6", "model.name = 'x'", "params.lr = '0.1' AND 1", "params.lr = '0.1' xyz",
    "xyz", "'xyz'", "5", "()", "*", "params.lr", "params.lr LIKE", "LIKE 'x'", "IS NULL", "IN ('a')", "select * from runs", "params.lr = '0.1' AND (params.opt = 'Adam')",
    "params.lr ~ '0.1'", "params.lr ! '0.1'", "params.lr = '0.1' # x", "params.lr='0.1'AND params.opt='Adam'", "params.lr LIKE'0%'", "params.lr =-1", "metrics.loss=-1", "metrics.loss>-2",
    "metrics.loss = -1.0", "metrics.loss = -1e0", "start_time = 1000.0", "start_time > 1.", "end_time >= 3400 AND end_time <= 3500", "tags.stage = 'dev' AND tags.stage != 'x'",
    "lower(status) = 'x'", "name = 'r0'", "attributes.name = 'r0'", "attributes.mlflow.user = 'x'", "metrics.acc > 99999999999999999999999", "start_time < 99999999999999999999",
    "metrics.loss = 1" + " AND metrics.acc = 0.5" * 20,
]

RUN_ORDERS = [
    [], ['start_time'], ['start_time ASC'], ['start_time DESC'], ['attributes.start_time DESC'], ['attribute.start_time asc'], ['run.start_time Desc'], ['created'], ['Created DESC'],
    ['end_time'], ['end_time DESC'], ['status'], ['status DESC'], ['run_id'], ['run_id DESC'], ['run_name'], ['run_name DESC'], ['attributes.`run name`'], ['user_id'], ['user_id DESC'],
    ['artifact_uri'], ['metrics.acc'], ['metrics.acc ASC'], ['metrics.acc DESC'], ['metric.acc desc'], ['metrics.loss'], ['metrics.loss DESC'], ['metrics.`m x`'], ['metrics."m x" DESC'],
    ['metrics.none'], ['metrics.none DESC'], ['metrics.größe DESC'], ['metrics.val.acc'], ['params.lr'], ['params.lr DESC'], ['param.opt'], ['params.opt DESC'], ['tags.stage'],
    ['tags.stage DESC'], ['tags.mlflow.parentRunId'], ['tags.`mlflow.runName` DESC'], ['parameters.lr'], ['params.`a b` DESC'], ['metrics.acc DESC', 'start_time ASC'],
    ['metrics.acc', 'metrics.loss DESC'], ['params.lr', 'tags.stage DESC', 'metrics.acc'], ['status', 'run_name DESC'], ['start_time ASC', 'run_id DESC'], ['start_time DESC', 'run_id ASC'],
    ['start_time DESC', 'run_id DESC'], ['status', 'status DESC'], ['start_time', 'created'], ['metrics.acc', 'metrics.`acc` DESC'], ['metrics.acc', 'params.acc'], ['unknown'], ['Metrics.acc'],
    ['metrics.acc foo'], ['metrics.acc DESC foo'], ['metrics.acc DESC NULLS LAST'], ['metrics.acc, params.lr'], [''], [' '], ['metrics.m x'], ['DESC'], ['dataset.name'], ['model.x'],
    [' start_time'], ['start_time '], ['start_time  DESC'], ['start_time\tDESC'], ['metrics.acc-1'], ["metrics.'m x'"], ['experiment_id'], ['lifecycle_stage'], ['timestamp'], ['start_time desc;'],
    ['metrics.acc AS x'], ['5'], ['`start_time` DESC'], ['"start_time"'], ['attributes.`start_time`'], ['attributes."start_time" DESC'], ['attributes.run_name', 'attributes.end_time DESC'],
    ['name'], ['attributes.end_time', 'metrics.loss'], ['tags.none', 'metrics.none DESC', 'end_time'],
]

EXPERIMENT_FILTERS = [
    '', "name = 'Alpha'", "name != 'Alpha'", "name = 'alpha'", "name LIKE 'a%'", "name LIKE 'A%'", "name ILIKE 'A%'", "name like 'a%'", "name ilike 'a%'", "name LIKE 'beta_1'", "name LIKE 'beta%'",
    "name = \"Alpha\"", "name = Alpha", "name = 5", "name > 'a'", "name IN ('Alpha')", "attribute.name = 'Alpha'", "attributes.name = 'Alpha'", "attr.name = 'Alpha'", "`name` = 'Alpha'",
    "attribute.`name` = 'Alpha'", "\"name\" = 'Alpha'", "Name = 'Alpha'", "name = '日本'", "name LIKE '_'", "name LIKE '日_'", "name ILIKE 'É'", "experiment_id = '<experiment1>'", "experiment_id = '0'",
    "experiment_id = 0", "experiment_id != '0'", "experiment_id IN ('0', '<experiment2>')", "experiment_id NOT IN ('0')", "experiment_id = 'abc'", "experiment_id LIKE '1'", "experiment_id > '1'",
    "experiment_id in ('0')", "creation_time = 1700000000000", "creation_time > 1700000000000", "creation_time >= 1700000001000 AND creation_time < 1700000003000", "creation_time != 5", "creation_time = 5.0",
    "creation_time > 5.5", "creation_time = '5'", "creation_time LIKE '5'", "creation_time > -1", "last_update_time < 1700000099990", "attribute.last_update_time = 6", "last_update_time <= 6",
    "tags.team = 'red'", "tag.team = 'red'", "tags.team != 'red'", "tags.team LIKE 'r%'", "tags.team LIKE 'R%'", "tags.team ILIKE 'R%'", "tags.team like 'r%'", "tags.TEAM = 'x'", "tags.team > 'a'",
    "tags.team IN ('red')", "tags.team = red", "tags.team = 5", "tags.team IS NULL", "tags.team IS NOT NULL", "tags.team is null", "tags.team is not null", "tags.none IS NULL", "tags.none != 'x'", "name IS NULL",
    "tags.team LIKE '100\\%'", "tags.team LIKE '100%'", "tags.empty = ''", "tags.empty != ''", "tags.`mlflow.note.content` = \"it's\"", "tags.mlflow.note.content = 'it''s'", "tags.größe = 'Ä'",
    "tags.`größe` ILIKE 'ä'", "tags.\"team\" = 'red'", "Tags.team = 'red'", "foo.team = 'red'", "unknown = 'x'", "artifact_location = 'x'", "lifecycle_stage = 'active'",
    "name = 'Alpha' OR name = 'alpha'", "name = 'Alpha' AND tags.team = 'Red'", "name = 'Alpha' and tags.team = 'Red'", "name = 'Alpha' tags.team = 'Red'", "tags.team = 'red' AND tags.empty = ''",
    "tags.team = 'red' AND tags.team != 'blue'", "name", "name =", "(name = 'Alpha')", "name = 'Alpha';", "name LIKE '%' AND creation_time > 1700000000000 AND tags.team LIKE '%'", "params.x = '1'", "metrics.x > 1",
]

EXPERIMENT_ORDERS = [
    [], ['name'], ['name ASC'], ['name DESC'], ['attribute.name'], ['attributes.name'], ['experiment_id'], ['experiment_id DESC'], ['creation_time'], ['creation_time DESC'], ['creation_time ASC'], ['last_update_time'],
    ['last_update_time DESC'], ['creation_time', 'name DESC'], ['creation_time DESC', 'experiment_id ASC'], ['name', 'name'], ['tags.team'], ['unknown'], ['name foo'], [''], ['`name`'], ['`name` DESC'], ['Name'],
    ['creation_time DESC', 'last_update_time DESC'], ['timestamp'], ['lifecycle_stage'],
]

MODEL_FILTERS = [
    '', "name = 'churn'", "name != 'churn'", "name LIKE 'c%'", "name LIKE 'C%'", "name ILIKE 'c%'", "name like 'c%'", "name IN ('churn', 'Churn2')", "name NOT IN ('churn')", "name in ('churn')", "name IN ()", "name IN (1)",
    "name = churn", "name = \"churn\"", "name = 5", "name > 'c'", "attribute.name = 'churn'", "attributes.name = 'churn'", "`name` = 'churn'", "name = '日本'", "name LIKE 'fraud_a'", "name LIKE 'fraud%'", "Name = 'churn'",
    "name ILIKE 'GRÖSSE'", "name ILIKE 'GRÖßE'", "name ILIKE 'GRößE'", "tags.team = 'red'", "tag.team = 'red'", "tags.team != 'red'", "tags.team LIKE 'r%'", "tags.team ILIKE 'R%'", "tags.team LIKE 'R%'", "tags.team = ''", "tags.none != 'x'",
    "tags.none = 'x'", "tags.team > 'a'", "tags.team IN ('red')", "tags.team IS NULL", "tags.team IS NOT NULL", "tags.Owner = 'ann'", "tags.owner = 'ann'", "tags.`x y` = 'z'", "tags.\"x y\" = 'z'", "tags.team = 'red' AND tags.Owner = 'ann'",
    "tags.team != 'red' AND tags.team != 'blue'", "tags.team LIKE 'r%' AND tags.team LIKE '%d'", "tags.note = \"it's\"", "tags.team = 'ÄÖ'", "tags.team ILIKE 'äö'", "Tags.team = 'red'", "params.x = '1'", "foo = 'x'", "creation_timestamp > 1",
    "last_updated_timestamp > 1", "description = 'x'", "tags.`mlflow.prompt.is_prompt` != 'true'", "tags.`mlflow.prompt.is_prompt` = 'true'", "tags.`mlflow.prompt.is_prompt` = 'TRUE'", "tags.`mlflow.prompt.is_prompt` = 'false'",
    "tags.`mlflow.prompt.is_prompt` != 'false'", "tags.mlflow.prompt.is_prompt = 'true'", "tags.`mlflow.prompt.is_prompt` LIKE 'tr%'", "name = 'ask-me'", "name = 'ask-me' AND tags.`mlflow.prompt.is_prompt` = 'true'",
    "tags.team = 'red' AND tags.`mlflow.prompt.is_prompt` != 'true'", "tags.team = 'red' AND tags.`mlflow.prompt.is_prompt` = 'true'", "name = 'churn' OR name = 'Churn2'", "name = 'churn' AND tags.team = 'red'", "name", "name = 'churn';",
    "(name = 'churn')", "name LIKE '%' AND name LIKE '%a'", "name = 'not-a-prompt'", "tags.`mlflow.prompt.is_prompt` = 'true' AND tags.`mlflow.prompt.is_prompt` = 'x'",
    "tags.`mlflow.prompt.is_prompt` = 'x' AND tags.`mlflow.prompt.is_prompt` = 'true'", "name LIKE 'churn' AND",
]

MODEL_ORDERS = [
    [], ['name'], ['name ASC'], ['name DESC'], ['timestamp'], ['timestamp DESC'], ['timestamp ASC', 'name DESC'], ['last_updated_timestamp'], ['last_updated_timestamp DESC'], ['creation_timestamp'], ['creation_timestamp DESC'],
    ['name', 'name'], ['timestamp', 'last_updated_timestamp'], ['attribute.name'], ['`name`'], ['`name` DESC'], ['unknown'], ['name foo'], [''], ['timestamp foo'], ['TIMESTAMP DESC'], ['Name'], ['tags.team'], ['version'],
]

VERSION_FILTERS = [
    '', "name = 'churn'", "name != 'churn'", "name LIKE 'c%'", "name ILIKE 'C%'", "name IN ('churn', 'fraud_a')", "name NOT IN ('churn')", "name like 'c%'", "name = 5", "name > 'c'", "run_id = '<run0>'", "run_id != '<run0>'",
    "run_id IN ('<run0>', '<run2>')", "run_id NOT IN ('<run0>')", "run_id LIKE '%'", "run_id = ''", "run_id != 'x'", "source_path = 's3://b/1'", "source_path != 's3://b/1'", "source_path LIKE 's3://b/_'", "source_path LIKE 's3://b/%'",
    "source_path ILIKE 'S3://B/%'", "source_path IN ('s3://b/1')", "source = 's3://b/1'", "version_number = 1", "version_number = '1'", "version_number = 'x'", "version_number > 1", "version_number >= 2", "version_number != 1",
    "version_number = 1.0", "version_number > 1.5", "version_number < 2 AND name = 'churn'", "version_number <= 2", "version_number LIKE '1'", "version_number IN (1)", "version_number IN ('1')", "version = 1", "version_number > -1",
    "attribute.version_number = 2", "attribute.name = 'churn'", "attributes.name = 'churn'", "`name` = 'churn'", "tags.q = 'good'", "tag.q = 'good'", "tags.q != 'good'", "tags.q LIKE 'g%'", "tags.q ILIKE 'G%'", "tags.q = ''", "tags.q > 'a'",
    "tags.q IS NULL", "tags.q IN ('good')", "tags.none != 'x'", "tags.q = 'bad' AND tags.x = '1'", "tags.q = 'good' AND name = 'churn'", "tags.größe = 'Ä'", "tags.`q` = 'good'", "creation_timestamp > 1", "last_updated_timestamp > 1",
    "current_stage = 'None'", "status = 'READY'", "foo.x = '1'", "tags.`mlflow.prompt.is_prompt` != 'true'", "tags.`mlflow.prompt.is_prompt` = 'true'", "tags.`mlflow.prompt.is_prompt` = 'false'",
    "tags.`mlflow.prompt.is_prompt` != 'false'", "name = 'churn' AND tags.`mlflow.prompt.is_prompt` != 'true'", "name = 'churn' OR name = 'x'", "name = 'churn' AND run_id = '<run1>'", "name='churn'", "name", "name = 'nope'", "source_path = 5",
    "name = 'größe'", "run_id = 'nope'", "name = 'ask-me'", "version_number = 99999999999999999999",
]

VERSION_ORDERS = [
    [], ['name'], ['name DESC'], ['version_number'], ['version_number DESC'], ['version_number ASC', 'name DESC'], ['creation_timestamp'], ['creation_timestamp DESC'], ['last_updated_timestamp'], ['last_updated_timestamp DESC'],
    ['last_updated_timestamp DESC', 'name ASC', 'version_number DESC'], ['name', 'name DESC'], ['version'], ['run_id'], ['attribute.name DESC'], ['tags.q'], ['unknown'], ['name foo'], [''], ['`name` DESC'], ['timestamp'], ['creation_timestamp', 'last_updated_timestamp DESC'],
    ['source_path'], ['last_updated_timestamp', 'version_number'],
]

LOGGED_MODEL_FILTERS = [
    '', "name = 'model'", "name != 'model'", "name LIKE 'm%'", "name LIKE 'M%'", "name ILIKE 'M%'", "name like 'm%'", "name IN ('model', 'dotted')", "name NOT IN ('model')", "name in ('model')", "name IN ('model')", "name = \"model\"", "name = model",
    "name = 5", "name > 'a'", "attributes.name = 'model'", "attribute.name = 'model'", "`name` = 'model'", "attributes.`name` = 'model'", "Name = 'model'", "model_id = '<model0>'", "model_id IN ('<model0>', '<model3>')", "model_id != '<model0>'",
    "model_type = 'sklearn'", "model_type != 'sklearn'", "model_type ILIKE 'SK%'", "model_type LIKE 'sk%'", "status = 'READY'", "status = 'LOGGED_MODEL_READY'", "status = '2'", "status != 'READY'", "status = 2", "source_run_id = '<run0>'",
    "source_run_id != '<run0>'", "source_run_id IN ('<run0>', '<run9>')", "creation_timestamp > 1700000000005", "creation_time = 1700000000000", "creation_timestamp_ms >= 1700000000010", "attributes.creation_timestamp > 1700000000005",
    "attributes.creation_timestamp_ms > 1700000000005", "last_updated_timestamp < 1700000049998", "last_updated_timestamp_ms < 1700000049998", "last_updated_time < 1", "creation_timestamp = 'x'", "creation_timestamp = '1700000000000'",
    "creation_timestamp LIKE '1%'", "creation_timestamp > 1.5", "metrics.acc > 0.5", "metrics.acc >= 0.65", "metrics.acc = 0.65", "metrics.acc != 0.65", "metrics.acc < 0.5", "metrics.acc > 0.5 AND metrics.acc < 0.55", "metrics.loss < 0",
    "metrics.acc > 'x'", "metrics.acc LIKE '1'", "metrics.acc IN (1)", "metrics.`m x` = 2", "metrics.\"m x\" = 2", "metrics.val.acc = 1", "metrics.`val.acc` = 1", "metric.acc > 0.5", "metrics.none > 0", "metrics.acc > -1", "metrics.acc > abc",
    "metrics.acc > 1e-3", "metrics.acc > inf", "params.depth = '3'", "params.depth = 3", "params.depth != '3'", "params.depth LIKE '1%'", "params.depth = ''", "params.depth > '1'", "params.depth IN ('3', '10')", "params.depth IS NULL", "params.none != 'x'",
    "param.depth = '3'", "params.größe = 'Ä'", "params.p.dot = '1'", "params.`p.dot` = '1'", "tags.k = 'v'", "tags.k ILIKE 'v'", "tags.k LIKE 'V'", "tags.k != 'v'", "tags.`a b` = 'c d'", "tags.\"a b\" = 'c d'", "tags.it = \"it's\"", "tags.it = 'it''s'",
    "tags.t.dot = 'y'", "tags.k IN ('v')", "tags.k IS NOT NULL", "tag.k = 'v'", "tags.größe = '日本'", "name = 'model' AND metrics.acc > 0.5", "name = 'model' OR name = 'x'", "name = 'model' and params.depth = '3'", "name = 'model' name = 'model'",
    "foo = 'x'", "foo.bar = 'x'", "experiment_id = 5", "experiment_id = '<experiment1>'", "artifact_location LIKE '%'", "lifecycle_stage = 'active'", "name", "name =", "(name = 'model')", "name = 'model';", "AND", " ", "name LIKE '_%'", "name LIKE 'm_x'", "name LIKE 'm%x'",
]

LOGGED_MODEL_ORDERS = [
    [], [{'field_name': 'name'}], [{'field_name': 'name', 'ascending': False}], [{'field_name': 'creation_timestamp', 'ascending': True}], [{'field_name': 'creation_timestamp', 'ascending': False}], [{'field_name': 'creation_time', 'ascending': True}],
    [{'field_name': 'creation_timestamp_ms', 'ascending': True}], [{'field_name': 'last_updated_timestamp', 'ascending': True}], [{'field_name': 'model_id'}], [{'field_name': 'model_id', 'ascending': False}], [{'field_name': 'model_type'}],
    [{'field_name': 'model_type', 'ascending': False}], [{'field_name': 'status'}], [{'field_name': 'status', 'ascending': False}], [{'field_name': 'source_run_id'}], [{'field_name': 'metrics.acc'}], [{'field_name': 'metrics.acc', 'ascending': False}],
    [{'field_name': 'metrics.loss', 'ascending': True}], [{'field_name': 'metrics.none'}], [{'field_name': 'metrics.val.acc', 'ascending': False}], [{'field_name': 'metrics.`m x`'}], [{'field_name': 'metrics.m x', 'ascending': False}],
    [{'field_name': 'metrics.acc', 'ascending': False, 'dataset_name': 'iris'}], [{'field_name': 'metrics.acc', 'ascending': True, 'dataset_name': 'iris', 'dataset_digest': 'd1'}], [{'field_name': 'metrics.acc', 'dataset_name': 'none'}],
    [{'field_name': 'name'}, {'field_name': 'metrics.acc', 'ascending': False}], [{'field_name': 'params.depth'}], [{'field_name': 'tags.k'}], [{'field_name': 'foo'}], [{'field_name': 'attributes.name'}], [{'field_name': 'name'}, {'field_name': 'name', 'ascending': False}],
    [{'field_name': 'name', 'ascending': False}, {'field_name': 'creation_timestamp', 'ascending': True}], [{'field_name': 'experiment_id'}], [{'field_name': '`name`'}], [{'field_name': 'last_updated_time'}],
]

IRIS, WINE = {'dataset_name': 'iris'}, {'dataset_name': 'wine'}


def cases():
    for entity, filters, orders in (('run', RUN_FILTERS, RUN_ORDERS), ('experiment', EXPERIMENT_FILTERS, EXPERIMENT_ORDERS), ('registered-model', MODEL_FILTERS, MODEL_ORDERS),
                                    ('model-version', VERSION_FILTERS, VERSION_ORDERS), ('logged-model', LOGGED_MODEL_FILTERS, LOGGED_MODEL_ORDERS)):
        yield from ({'entity': entity, 'filter': text} for text in filters)
        yield from ({'entity': entity, 'order_by': order} for order in orders)
    for view in ('ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'):
        yield {'entity': 'run', 'run_view_type': view}
        yield {'entity': 'run', 'run_view_type': view, 'filter': "params.lr = '0.1'", 'order_by': ['metrics.acc DESC']}
        yield {'entity': 'run', 'run_view_type': view, 'filter': "run_id = '<run13>'"}
        yield {'entity': 'experiment', 'view_type': view}
        yield {'entity': 'experiment', 'view_type': view, 'filter': "tags.team ILIKE 'red'", 'order_by': ['name']}
    for filter, order in (("metrics.acc > 0.4", ['metrics.loss']), ("tags.stage = 'dev'", ['params.lr DESC']), ("start_time > 500 AND start_time < 8000", ['metrics.acc DESC', 'run_name']), ("run_id != 'x'", ['tags.stage'])):
        yield {'entity': 'run', 'filter': filter, 'order_by': order}
    for size in (1, 2, 5, 0, -1, 50000, 50001):
        yield from ({'entity': entity, 'max_results': size} for entity in ('run', 'experiment', 'model-version'))
    for size in (1, 2, 5, 1000, 1001):
        yield {'entity': 'registered-model', 'max_results': size}
        yield {'entity': 'logged-model', 'max_results': size}
    for datasets in ([], [IRIS], [{**IRIS, 'dataset_digest': 'd1'}], [IRIS, WINE], [{'dataset_name': 'none'}], [{'dataset_digest': 'd1'}], [{**IRIS, 'dataset_digest': ''}]):
        for text in ('', "metrics.acc > 0.55", "metrics.loss > 0", "name = 'model'"):
            yield {'entity': 'logged-model', 'datasets': datasets, 'filter': text}
