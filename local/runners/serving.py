"""Script-mode serving: GET /ping and POST /invocations around model_fn, input_fn, predict_fn, output_fn or transform_fn."""
import importlib
import json
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import code_directory
import codecs_of_images as codecs
import job


class Answer(Exception):
    """A request that ends with a status of its own."""

    def __init__(self, status, error, text=None):
        super().__init__(str(error))
        self.status = status
        self.body = json.dumps({"error": type(error).__name__, "error-message": str(error)}) if text is None else text


def no_model_fn(_directory):
    raise NotImplementedError("Please provide a model_fn implementation. See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk")


def predict_with_xgboost(data, model):
    return model.predict(data, validate_features=False)


def predict_with_scikit_learn(data, model):
    return model.predict(data)


class Handlers:
    def __init__(self, module, framework):
        xgboost = framework == "xgboost"
        own = {name: getattr(module, name, None) for name in ("input_fn", "predict_fn", "output_fn", "transform_fn")}
        if own["transform_fn"] and (own["input_fn"] or own["predict_fn"] or own["output_fn"]):
            raise ValueError("Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn")
        self.load = getattr(module, "model_fn", no_model_fn)
        self.transform = own["transform_fn"] or self.steps
        self.read = own["input_fn"] or (codecs.decode_for_xgboost if xgboost else codecs.decode_for_scikit_learn)
        self.predict = own["predict_fn"] or (predict_with_xgboost if xgboost else predict_with_scikit_learn)
        self.write = own["output_fn"] or codecs.encode

    def steps(self, model, content, content_type, accept):
        try:
            data = self.read(content, content_type)
        except codecs.UnsupportedFormatError as error:
            raise Answer(415, error) from error
        except ValueError as error:
            # What the script refuses in a request is the client's fault, and the client is told. The images themselves may answer any
            # exception with a bare 500: a script that must say 4xx there too raises an exception with a `code`, as its web framework has.
            raise Answer(400, error) from error
        prediction = self.predict(data, model)
        try:
            return self.write(prediction, accept)
        except codecs.UnsupportedFormatError as error:
            raise Answer(406, error) from error


def handler_class(transform, default_type, default_accept):
    default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", default_accept)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self, status, body, content_type):
            data = body.encode("utf-8") if isinstance(body, str) else bytes(body)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            if self.path == "/ping":
                self.answer(200, "", codecs.JSON)
            else:
                self.answer(404, "", codecs.JSON)

        def do_POST(self):
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path != "/invocations":
                self.answer(404, "", codecs.JSON)
                return
            content_type = self.headers.get("Content-Type") or default_type
            accept = self.headers.get("Accept")
            accept = default_accept if not accept or accept == "*/*" else accept
            try:
                body = content.decode("utf-8") if content_type in codecs.TEXT else content
                result = transform(body, content_type, accept)
                if isinstance(result, tuple):
                    result, accept = result[0], result[1]
                self.answer(200, result, accept)
            except Answer as refused:
                if refused.__cause__:
                    traceback.print_exception(refused.__cause__)
                self.answer(refused.status, refused.body, codecs.JSON)
            except Exception as error:
                traceback.print_exc()
                self.answer(self.status_of(error), json.dumps({"error": type(error).__name__, "error-message": str(error)}), codecs.JSON)

        @staticmethod
        def status_of(error):
            """The web framework of the images honours the code of its own HTTP exceptions."""
            code = getattr(error, "code", None)
            return code if isinstance(code, int) and 400 <= code < 600 else 500

        def log_message(self, format, *values):
            print(format % values, flush=True)

        def log_request(self, code="-", size="-"):
            if self.path != "/ping":
                super().log_request(code, size)

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def run(order):
    root = order["root"]
    code = os.path.join(root, "code")
    program = order["program"]
    unmet = code_directory.unmet_requirements(code)
    if unmet:
        print("requirements.txt asks for what the local engine does not install: %s" % ", ".join(unmet), file=sys.stderr, flush=True)
        return 1
    job.confine(order)
    os.chdir(code)
    sys.path.insert(0, code)
    try:
        module = importlib.import_module(program[:-3] if program.endswith(".py") else program)
        handlers = Handlers(module, order["framework"])
        model = handlers.load(os.path.join(root, "model"))
    except BaseException:  # an image whose worker cannot start never answers its ping
        traceback.print_exc()
        return 1
    return serve(lambda *request: handlers.transform(model, *request), default_type=codecs.JSON, default_accept=codecs.JSON)


def serve(transform, default_type, default_accept):
    server = Server(("127.0.0.1", 0), handler_class(transform, default_type, default_accept))
    os.write(3, (json.dumps({"port": server.server_address[1]}) + "\n").encode("utf-8"))
    server.serve_forever()
    return 0
