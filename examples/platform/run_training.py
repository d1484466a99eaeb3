"""Does on any platform what Driftloop asks for: a training by a trainer of yours, as on one machine.

    python3 run_training.py COMMAND...  < request.json

The request is the CloudEvent that Driftloop sends. The rows and the task are put into a folder, the
command is started with its path (docs/trainers.md says what it leaves there), and what it left goes
to where the request says, `result.json` last. Addresses are file:///... or s3://..., for which boto3
is needed. The exit code is 0 when a result was left, also one that says why the training failed.
"""
import datetime
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request


class Files:
    """Files of a machine."""

    def path(self, uri):
        return pathlib.Path(urllib.request.url2pathname(urllib.parse.urlsplit(uri).path))

    def get(self, uri, file):
        shutil.copyfile(self.path(uri), file)

    def put(self, file, uri):
        target = self.path(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        shutil.copyfile(file, part)
        part.rename(target)


class Bucket:
    """Files in S3, with the credentials and the region of the platform."""

    def __init__(self):
        import boto3

        self.client = boto3.client("s3")

    def place(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bucket, key

    def get(self, uri, file):
        self.client.download_file(*self.place(uri), str(file))

    def put(self, file, uri):
        self.client.upload_file(str(file), *self.place(uri))


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def train(request, command, folder, store):
    """Trains in a folder, and returns the result to leave."""
    result = {"runId": request["runId"]}
    rows = folder / "dataset.parquet"
    store.get(request["datasetUri"], rows)
    if sha256(rows) != request["datasetChecksum"]:
        return {**result, "status": "failed", "reason": "the dataset has another checksum"}
    store.get(request["taskUri"], folder / "task.json")
    task = json.loads((folder / "task.json").read_text())
    output = folder / "output"
    output.mkdir()
    (folder / "task.json").write_text(json.dumps({**task, "outputFolder": str(output)}))
    deadline = datetime.datetime.fromisoformat(request["deadline"].replace("Z", "+00:00"))
    left = (deadline - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    try:
        done = subprocess.run([*command, folder], stderr=subprocess.PIPE, text=True, timeout=max(1, left))
    except (OSError, subprocess.TimeoutExpired) as error:
        return {**result, "status": "failed", "reason": str(error)}
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        reason = f"exit code {done.returncode}: {' | '.join(done.stderr.splitlines()[-5:])}"
        return {**result, "status": "failed", "reason": reason}
    files = [file for file in sorted(output.rglob("*")) if file.is_file()]
    for file in files:
        store.put(file, f"{request['outputUri']}/{file.relative_to(output).as_posix()}")
    named = {file.relative_to(output).as_posix(): sha256(file) for file in files}
    return {**result, "status": "succeeded", "files": named}


def main():
    request = json.load(sys.stdin)["data"]
    store = Bucket() if request["outputUri"].startswith("s3://") else Files()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        result = folder / "result.json"
        result.write_text(json.dumps(train(request, sys.argv[1:], folder, store)))
        store.put(result, f"{request['outputUri']}/result.json")


main()
