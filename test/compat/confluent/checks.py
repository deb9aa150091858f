"""Asks a broker what confluent-kafka, unmodified, wants of it: `checks.py ADDRESS`. A JSON line for each answer."""

import json
import sys
import traceback

import admin
import groups
import produce
import transactions
from world import World


def main() -> None:
    world = World(sys.argv[1])
    for module in (produce, transactions, groups, admin):
        for check in module.CHECKS:
            answer = {"asked": check.__doc__}
            try:
                answer["says"] = check(world) or ""
            except Exception as error:
                answer["failure"] = f"{error!r}\n{traceback.format_exc()}"
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
