"""Writes predictions with the serialisers of confluent-kafka, as fixtures of serialized.test.ts.

pip install 'confluent-kafka[avro,json,protobuf]==2.16.1' grpcio-tools
python3 serialize.py > serialized.json
"""

import json
import sys
import tempfile
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from grpc_tools import protoc

here = Path(__file__).parent
registry = SchemaRegistryClient.new_client({"url": "mock://"})
when = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=timezone.utc)

avro = {
    "type": "record",
    "name": "Scored",
    "namespace": "com.shop.ml",
    "fields": [
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "model", "type": {"type": "enum", "name": "Model", "symbols": ["CHURN", "FRAUD"]}},
        {"name": "version", "type": "int"},
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {
            "name": "features",
            "type": {
                "type": "record",
                "name": "Inputs",
                "fields": [
                    {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
                    {
                        "name": "fee",
                        "type": {"type": "fixed", "name": "Fee", "size": 8, "logicalType": "decimal", "precision": 9, "scale": 3},
                    },
                    {"name": "since", "type": {"type": "int", "logicalType": "date"}},
                    {"name": "opened", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                    {"name": "orders", "type": "int"},
                    {"name": "visits", "type": "long"},
                    {"name": "ratio", "type": "float"},
                    {"name": "income", "type": ["null", "double"]},
                    {"name": "plan", "type": ["null", {"type": "enum", "name": "Plan", "symbols": ["BASIC", "PRO"]}]},
                    {"name": "newsletter", "type": "boolean"},
                    {
                        "name": "customer",
                        "type": {"type": "record", "name": "Customer", "fields": [{"name": "age", "type": "int"}]},
                    },
                ],
            },
        },
        {"name": "prediction", "type": {"type": "enum", "name": "Answer", "symbols": ["STAYS", "LEAVES"]}},
        {"name": "score", "type": "float"},
    ],
}
scored = {
    "id": UUID("0f0e0d0c-0b0a-4908-8706-050403020100"),
    "model": "CHURN",
    "version": 3,
    "time": when,
    "features": {
        "amount": Decimal("12.50"),
        "fee": Decimal("-0.125"),
        "since": date(2020, 2, 29),
        "opened": datetime(2026, 1, 1, tzinfo=timezone.utc),
        "orders": 7,
        "visits": 2**60,
        "ratio": 0.5,
        "income": None,
        "plan": "PRO",
        "newsletter": True,
        "customer": {"age": 41},
    },
    "prediction": "LEAVES",
    "score": 0.75,
}
plain = {
    "id": "j1",
    "model": "churn",
    "version": 3,
    "time": "2026-03-02T09:30:00.123Z",
    "features": {"amount": 12.5, "customer": {"age": 41}},
    "prediction": True,
    "score": None,
}
json_schema = json.dumps(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Prediction",
        "type": "object",
        "properties": {"id": {"type": "string", "connect.index": 0}},
        "required": ["id"],
    }
)


def scoring():
    with tempfile.TemporaryDirectory() as folder:
        protoc.main(["", f"-I{here}", f"-I{Path(protoc.__file__).parent}/_proto", f"--python_out={folder}", "common.proto", "scoring.proto"])
        sys.path.insert(0, folder)
        import scoring_pb2

    message = scoring_pb2.Scoring.Prediction(
        id="p1", model="churn", version=3, label="LEAVES", probabilities={"STAYS": 0.25, "LEAVES": 0.75}, segment={"country": "DE"}
    )
    message.time.FromDatetime(when)
    message.features.customer.customer_id = 2**60
    message.features.customer.age = 41.5
    message.features.customer.channel = 1
    message.features.income.value = 0.0
    message.history.extend([1.0, 2.5])
    message.features.plan.text = "pro"
    return message


def fixtures():
    prediction = scoring()
    for place in ("prefix", "header"):
        conf = {"schema.id.serializer": header_schema_id_serializer} if place == "header" else {}
        serializers = {
            "Avro": (AvroSerializer(registry, json.dumps(avro), conf=conf), scored),
            "JSON": (JSONSerializer(json_schema, registry, conf=conf), plain),
            "Protobuf": (ProtobufSerializer(type(prediction), registry, {"use.deprecated.format": False, **conf}), prediction),
        }
        for kind, (serializer, value) in serializers.items():
            context = SerializationContext(f"predictions-{kind}", MessageField.VALUE, {})
            data = serializer(value, context)
            yield {
                "name": f"{kind}, {place}",
                "headers": {name: bytes(header).hex() for name, header in context.headers.items()},
                "value": bytes(data).hex(),
            }


def registered():
    """What the registry would answer, by id and by GUID."""
    answers = {}
    for subject in registry.get_subjects():
        for number in registry.get_versions(subject):
            found = registry.get_version(subject, number)
            answer = {"schema": found.schema.schema_str, "schemaType": found.schema.schema_type}
            if found.schema.references:
                answer["references"] = [
                    {"name": reference.name, "subject": reference.subject, "version": reference.version}
                    for reference in found.schema.references
                ]
            answers[f"/schemas/ids/{found.schema_id}"] = answer
            answers[f"/schemas/guids/{found.guid}"] = answer
            answers[f"/subjects/{subject}/versions/{number}"] = answer
    return answers


records = list(fixtures())
json.dump({"records": records, "answers": registered()}, sys.stdout, indent=2)
print()
