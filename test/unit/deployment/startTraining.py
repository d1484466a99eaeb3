"""Runs the programs of a page with stand-ins for the client of its platform.

Standard input is a JSON array of Python programs. Each is compiled, and the one that has `start` is
run: it gets a request once as it is, and once when the platform has it already. Prints the calls.
"""
import json
import sys
import urllib.error
import urllib.request
from unittest import mock


class Known(Exception):
    status = 409


class Unknown(Exception):
    pass


names = ["airflow.sdk", "azure.ai.ml", "azure.core.exceptions", "azure.identity", "boto3"]
names += ["databricks.sdk", "kubernetes"]
modules = {}
for name in names:
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        modules.setdefault(".".join(parts[:end]), mock.MagicMock())

boto3 = modules["boto3"].client.return_value
boto3.exceptions.ResourceInUse = Known
kubernetes = modules["kubernetes"].client
kubernetes.ApiException = Known
azure = modules["azure.ai.ml"].MLClient.return_value
modules["azure.core.exceptions"].ResourceNotFoundError = Unknown
urlopen = mock.MagicMock()
starts = {
    "airflow": urlopen,
    "boto3": boto3.create_training_job,
    "kubernetes": kubernetes.CustomObjectsApi.return_value.create_namespaced_custom_object,
    "databricks": modules["databricks.sdk"].WorkspaceClient.return_value.jobs.run_now,
    "azure": azure.jobs.create_or_update,
}

programs = json.load(sys.stdin)
environment = {name: "7" for name in ["AIRFLOW_URL", "AIRFLOW_TOKEN", "AZURE_SUBSCRIPTION"]}
environment |= {name: "7" for name in ["AZURE_RESOURCE_GROUP", "AZURE_WORKSPACE"]}
environment |= {f"TRAINER_{name}": "7" for name in "COMPUTE ENVIRONMENT IMAGE JOB NAMESPACE".split()}
environment |= {f"TRAINER_{name}": "7" for name in "OUTPUT ROLE RUNTIME".split()}
environment["AIRFLOW_URL"] = "https://airflow.example"
with (
    mock.patch.dict("sys.modules", modules),
    mock.patch.dict("os.environ", environment),
    mock.patch("urllib.request.urlopen", urlopen),
):
    for program in programs:
        compiled = compile(program, "page", "exec")
        if "def start(" not in program:
            continue
        space = {}
        exec(compiled, space)
        request = {"id": "0f9d3c2b7e5a4186b1c0d2e3f4a59687", "subject": "churn", "data": {}}
        azure.jobs.get.side_effect = Unknown
        space["start"](request)
        for name, called in starts.items():
            for call in called.call_args_list:
                sent = call.args[0].data.decode() if name == "airflow" else repr(call)
                sent += repr(modules["azure.ai.ml"].command.call_args)
                print(name, request["id"] in sent, "churn" in sent)
        azure.jobs.get.side_effect = None
        conflict = urllib.error.HTTPError("https://airflow.example", 409, "Conflict", {}, None)
        urlopen.side_effect = conflict
        for called in starts.values():
            if called is not urlopen:
                called.side_effect = Known
        starts["databricks"].side_effect = None
        space["start"](request)
