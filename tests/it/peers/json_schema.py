"""A second implementation of JSON Schema: PyPI's jsonschema.

    json_schema.py

Reads one JSON object a line, answers with one JSON object a line:

    {"do": "sound", "schema": ...}                       whether the schema itself is one
    {"do": "validate", "schema", "definition", "payload": ...}
        what is wrong with a payload by one definition of the schema, or by the whole schema where
        no definition is named; null when nothing is
"""

import json
import sys

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError


def sound(asked):
    try:
        Draft202012Validator.check_schema(asked["schema"])
    except SchemaError as error:
        return {"wrong": error.message}
    return {"wrong": None}


def validate(asked):
    schema = asked["schema"]
    if "definition" in asked:
        schema = {
            "$schema": schema["$schema"],
            "$ref": f"#/$defs/{asked['definition']}",
            "$defs": schema["$defs"],
        }
    error = next(Draft202012Validator(schema).iter_errors(asked["payload"]), None)
    return {"wrong": error and error.message}


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"sound": sound, "validate": validate}[asked["do"]](asked)), flush=True)
