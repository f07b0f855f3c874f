"""A second implementation of JSON Schema: PyPI's jsonschema.

    json_schema.py

Reads one JSON object a line, answers with one JSON object a line:

    {"do": "sound", "schema": ...}                       whether the schema itself is one
    {"do": "validate", "schema", "definition", "payload": ...}
        what is wrong with a payload by one definition of the schema; null when nothing is
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
    schema = {
        "$schema": asked["schema"]["$schema"],
        "$ref": f"#/$defs/{asked['definition']}",
        "$defs": asked["schema"]["$defs"],
    }
    error = next(Draft202012Validator(schema).iter_errors(asked["payload"]), None)
    return {"wrong": error and error.message}


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"sound": sound, "validate": validate}[asked["do"]](asked)), flush=True)
