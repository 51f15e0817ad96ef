# SPDX-License-Identifier: Apache-2.0
"""The same up and destroy with the states in S3 and in Azure Blob Storage: nothing on the way of a batch waits for a store."""

import sys

from rows.commands import Side, program, size
from rows.measure import Row, alternate
from rows.stage import CACHE, ROOT, fail


def stand_ins(stage):
    """MinIO where the cache has it, else moto; and Azurite. As the clouds suite starts them."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/clouds")]
    import aws
    import azurite
    cache = CACHE / "clouds"
    s3 = aws.Minio if (cache / "minio").exists() else aws.Moto
    for kind in (s3, azurite.Azurite):
        folder = stage.work / kind.name
        folder.mkdir()
        made = kind(cache, folder)
        if not made.program.exists():
            fail(f"{made.program} is missing; tests/clouds/get-stand-ins gets it")
        made.start()
        stage.children.append(made.process)
        yield made


def side(stage, store=None):
    if store is None:
        server = stage.server
        return Side(stage, "folder", server.url, server.organization, server.token)
    made = stage.install(f"on-{store.name}", PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT=store.where(), **store.credentials())
    return Side(stage, store.name, made.url, made.organization, made.token)


def rows(stage, rounds):
    count = size(stage, 500)
    folder = program(stage, f"stores{count}", count)
    sides = [side(stage), *(side(stage, store) for store in stand_ins(stage))]
    for each in sides:
        each.init(folder)

    def one(each):
        return sum(each.pulumi(folder, command, "--yes", "--skip-preview") for command in ("up", "destroy"))

    taken = alternate(rounds, {each.name: lambda _, each=each: one(each) for each in sides})
    local = taken.pop("folder")
    return [Row(f"up and destroy, {count} resources, states in {name} / in a folder", "≤ 1.1", series.over(local),
                f"{series.median:.2f} s; folder {local.median:.2f} s", "{:.3f}") for name, series in taken.items()]
