"""Records what a real MLflow server answers to many searches, as the reference that our own search is held against.

    python test/conformance/search-reference.py > test/lambda/tracking/mlflow/search/reference.json

Needs a Python with mlflow and requests. Starts a server of its own over SQLite in a temporary directory and stops it afterwards.
The records are written through the API; times that the server sets itself are then laid down in its database, so that ties occur.
"""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import requests
from search_cases import EXPERIMENTS, LOGGED_MODELS, MODELS, RUNS, cases

SESSION = requests.Session()


class Server:
    def __init__(self, directory):
        self.database = os.path.join(directory, 'mlflow.db')
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        command = ['server', '--backend-store-uri', f'sqlite:///{self.database}', '--default-artifact-root', 's3://bucket/mlflow']
        self.process = subprocess.Popen(
            [os.path.join(os.path.dirname(sys.executable), 'mlflow'), *command, '--host', '127.0.0.1', '--port', str(self.port), '--workers', '1'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=directory)
        for _ in range(240):
            try:
                if SESSION.get(f'http://127.0.0.1:{self.port}/health', timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.5)
        raise SystemExit('the server did not start')

    def call(self, method, path, body, expect=True):
        url = f'http://127.0.0.1:{self.port}/api/2.0/mlflow/{path}'
        answer = SESSION.request(method, url, **({'params': body} if method == 'GET' else {'json': body}), timeout=60)
        if expect and not answer.ok:
            raise SystemExit(f'{path} {body}: {answer.text[:300]}')
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, {'error_code': 'INTERNAL_ERROR', 'message': ''}

    def post(self, path, **body):
        return self.call('POST', path, body)[1]

    def sql(self, statement, *values):
        with sqlite3.connect(self.database, timeout=30) as connection:
            connection.execute(statement, values)

    def stop(self):
        os.killpg(self.process.pid, 15)
        self.process.wait(20)


def pairs(values):
    return [{'key': key, 'value': value} for key, value in values.items()]


def make_experiments(server):
    found = []
    for n, (name, tags, deleted) in enumerate(EXPERIMENTS):
        made = server.post('experiments/create', name=name, tags=pairs(tags))['experiment_id']
        if deleted:
            server.post('experiments/delete', experiment_id=made)
        # Pairs of experiments share a creation time.
        created, updated = 1_700_000_000_000 + (n // 2) * 1000, 1_700_000_100_000 - n * 7
        server.sql('UPDATE experiments SET creation_time = ?, last_update_time = ? WHERE experiment_id = ?', created, updated, int(made))
        found.append({'experimentId': made, 'name': name, 'artifactLocation': '', 'tags': tags, 'creationTime': created, 'lastUpdateTime': updated,
                      'lifecycleStage': 'deleted' if deleted else 'active'})
    server.sql('UPDATE experiments SET creation_time = 5, last_update_time = 6 WHERE experiment_id = 0')
    return [{'experimentId': '0', 'name': 'Default', 'artifactLocation': '', 'tags': {}, 'creationTime': 5, 'lastUpdateTime': 6,
        'lifecycleStage': 'active'}, *found]


def make_runs(server, experiments):
    found = []
    for run in RUNS:
        experiment = experiments[1 + run.get('experiment', 0)]['experimentId']
        made = server.post('runs/create', experiment_id=experiment, run_name=run['name'], user_id=run.get('user', ''), start_time=run['start'],
                           tags=pairs(run.get('tags', {})))['run']['info']['run_id']
        metrics = [{'key': k, 'value': v, 'timestamp': 1, 'step': 0} for k, v in run.get('metrics', {}).items()]
        server.post('runs/log-batch', run_id=made, metrics=metrics, params=pairs(run.get('params', {})))
        datasets = run.get('datasets', [])
        if datasets:
            server.post('runs/log-inputs', run_id=made, datasets=[
                {'dataset': {'name': d[0], 'digest': d[1], 'source_type': 's', 'source': '{}'},
                    'tags': pairs({'mlflow.data.context': d[2]} if d[2] else {})}
                for d in datasets])
        ended = {'end_time': run['end']} if 'end' in run else {}
        server.post('runs/update', run_id=made, status=run.get('status', 'RUNNING'), **ended)
        if run.get('deleted'):
            server.post('runs/delete', run_id=made)
        found.append({'runId': made, 'experimentId': experiment, 'datasets': datasets})
    return found


def read_runs(server, made):
    """Logged models' metrics count as their runs' too, so runs are read once everything is there."""
    found = []
    for run in made:
        answer = server.call('GET', 'runs/get', {'run_id': run['runId']})[1]['run']
        info, data = answer['info'], answer['data']
        found.append({
            'runId': run['runId'], 'experimentId': run['experimentId'], 'name': info['run_name'], 'userId': info['user_id'], 'status': info['status'],
            'startTime': info['start_time'], **({'endTime': info['end_time']} if 'end_time' in info else {}),
            'lifecycleStage': info['lifecycle_stage'], 'artifactUri': info['artifact_uri'],
            'params': {p['key']: p['value'] for p in data.get('params', [])}, 'tags': {t['key']: t['value'] for t in data.get('tags', [])},
            'metrics': {m['key']: {'key': m['key'], 'value': m['value'], 'timestamp': m['timestamp'], 'step': m.get('step',
            0)} for m in data.get('metrics', [])},
            'datasets': [{'name': d[0], 'digest': d[1], 'sourceType': 's', 'source': '{}',
            'tags': {'mlflow.data.context': d[2]} if d[2] else {}} for d in run['datasets']],
            'modelInputs': [], 'modelOutputs': [],
        })
    return found


def iso(ms):
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(ms // 1000)) + f'.{ms % 1000:03}Z'


def make_models(server, runs):
    models, versions = [], []
    for n, (name, tags, model_versions) in enumerate(MODELS):
        server.post('registered-models/create', name=name, tags=pairs(tags))
        for m, (source, run, version_tags) in enumerate(model_versions):
            run_id = {'run_id': runs[run]['runId']} if run is not None else {}
            made = server.post('model-versions/create', name=name, source=source, tags=pairs(version_tags), **run_id)['model_version']
            created, updated = 1_700_000_000_000 + m * 10, 1_700_000_000_000 + ((n + m) % 3) * 50
            server.sql('UPDATE model_versions SET creation_time = ?, last_updated_time = ? WHERE name = ? AND version = ?', created, updated, name,
                int(made['version']))
            versions.append({'modelId': f'id{n}', 'model': name, 'version': int(made['version']), 'state': 'Incomplete', 'missing': [],
                'source': source, 'stage': 'None',
                             **({'runId': run_id['run_id']} if run_id else {}), 'tags': version_tags, 'aliases': [],
                             'createdAt': iso(created), 'updatedAt': iso(updated)})
        created, updated = 1_700_000_000_000 + n * 5, 1_700_000_000_000 + (n * 7 % 4) * 100
        server.sql('UPDATE registered_models SET creation_time = ?, last_updated_time = ? WHERE name = ?', created, updated, name)
        models.append({'modelId': f'id{n}', 'name': name, 'tags': tags, 'aliases': {}, 'managed': False, 'createdAt': iso(created),
            'updatedAt': iso(updated)})
    return models, versions


def make_logged_models(server, experiments, runs):
    found = []
    for n, model in enumerate(LOGGED_MODELS):
        experiment = experiments[1 + model.get('experiment', 0)]['experimentId']
        run = {'source_run_id': runs[model['run']]['runId']} if 'run' in model else {}
        kind = {'model_type': model['type']} if 'type' in model else {}
        made = server.post('logged-models', experiment_id=experiment, name=model['name'], params=pairs(model.get('params', {})),
                           tags=pairs(model.get('tags', {})), **run, **kind)['model']['info']['model_id']
        for key, value, step, timestamp, logged_by, dataset in model.get('metrics', []):
            server.post('runs/log-metric', run_id=runs[logged_by]['runId'], key=key, value=value, step=step, timestamp=timestamp, model_id=made,
                        **({'dataset_name': dataset[0], 'dataset_digest': dataset[1]} if dataset else {}))
        if 'status' in model:
            server.call('PATCH', f'logged-models/{made}', {'model_id': made, 'status': model['status']})
        created, updated = 1_700_000_000_000 + (n // 2) * 10, 1_700_000_050_000 - n
        server.sql('UPDATE logged_models SET creation_timestamp_ms = ?, last_updated_timestamp_ms = ? WHERE model_id = ?', created, updated, made)
        found.append({
            'modelId': made, 'experimentId': experiment, 'name': model['name'], 'createdAt': created, 'updatedAt': updated, 'artifactUri': '',
            'status': model.get('status', 'LOGGED_MODEL_PENDING'), **({'modelType': model['type']} if kind else {}),
            **({'sourceRunId': run['source_run_id']} if run else {}), 'tags': model.get('tags', {}), 'params': model.get('params', {}),
            'metrics': [{'key': k, 'value': v, 'step': s, 'timestamp': t, 'runId': runs[r]['runId'], 'modelId': made,
                         **({'datasetName': d[0], 'datasetDigest': d[1]} if d else {})} for k, v, s, t, r, d in model.get('metrics', [])],
        })
    return found


SEARCH = {
    'run': ('POST', 'runs/search', lambda a: [r['info']['run_id'] for r in a.get('runs', [])]),
    'experiment': ('POST', 'experiments/search', lambda a: [e['experiment_id'] for e in a.get('experiments', [])]),
    'registered-model': ('GET', 'registered-models/search', lambda a: [m['name'] for m in a.get('registered_models', [])]),
    'model-version': ('GET', 'model-versions/search', lambda a: [f"{v['name']}/{v['version']}" for v in a.get('model_versions', [])]),
    'logged-model': ('POST', 'logged-models/search', lambda a: [m['info']['model_id'] for m in a.get('models', [])]),
}


def ask(server, case, experiments):
    method, path, ids = SEARCH[case['entity']]
    body = {'max_results': 1000, **{key: case[key] for key in ('filter', 'order_by', 'run_view_type', 'view_type', 'max_results',
        'datasets') if key in case}}
    if case['entity'] in ('run', 'logged-model'):
        body['experiment_ids'] = [e['experimentId'] for e in experiments[1:3]]
    status, answer = server.call(method, path, body, expect=False)
    if status == 200:
        return {**case, 'ids': ids(answer)}
    return {**case, 'error': answer['error_code'], 'message': answer['message'].split('\n')[0]}


def main():
    with tempfile.TemporaryDirectory() as directory:
        server = Server(directory)
        try:
            experiments = make_experiments(server)
            runs = make_runs(server, experiments)
            models, versions = make_models(server, runs)
            logged_models = make_logged_models(server, experiments, runs)
            runs = read_runs(server, runs)
            values = {f'<run{n}>': run['runId'] for n, run in enumerate(runs)} | {f'<model{n}>': model['modelId'] for n,
                model in enumerate(logged_models)} \
                | {f'<experiment{n}>': experiment['experimentId'] for n, experiment in enumerate(experiments)}
            asked = []
            for case in cases():
                for symbol, value in values.items():
                    if symbol in case.get('filter', ''):
                        case = {**case, 'filter': case['filter'].replace(symbol, value)}
                asked.append(ask(server, case, experiments))
            version = SESSION.get(f'http://127.0.0.1:{server.port}/version').text
        finally:
            server.stop()
    records = {'experiments': experiments, 'runs': runs, 'registeredModels': models, 'modelVersions': versions, 'loggedModels': logged_models}
    lines = [f'{{"mlflow": {json.dumps(version)},', '"records": {']
    lines += [f'"{kind}": [\n' + ',\n'.join(json.dumps(r,
        ensure_ascii=False) for r in rows) + ('\n],' if kind != 'loggedModels' else '\n]}') for kind, rows in records.items()]
    lines[-1] += ','
    lines += ['"cases": [\n' + ',\n'.join(json.dumps(case, ensure_ascii=False) for case in asked) + '\n]}']
    print('\n'.join(lines))


if __name__ == '__main__':
    main()
