"""How often evidence speaks up on ordinary photographs.

    python -m benchmarks.evidence_alarms FOLDER

Reads every picture below the folder and counts the findings by weight and code. On photographs
there should be no statement and no hint, save true ones: the files of those are listed, to be
looked at. Every picture is decoded, for its visible marks and its thumbnail.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from unmask.errors import UnmaskError
from unmask.evidence.collect import Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.evidence.credentials.trust_list import trust_list_path
from unmask.findings import Weight
from unmask.images import read_picture
from unmask.settings import Settings

RESULT = Path(__file__).parent / "results" / "evidence_alarms.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    settings = Settings(max_bytes=60_000_000)
    collector = Collector(CredentialsReader(trust_list_path(settings)))
    weights, codes = Counter[str](dict.fromkeys(Weight, 0)), Counter[str]()
    pictures, thumbnails, loud = 0, 0, []
    for path in sorted(folder.rglob("*")):
        try:
            picture = read_picture(path, settings)
            collected = collector.collect(picture)
            collected = collector.look(collected, picture.pixels)
        except UnmaskError:
            continue
        pictures += 1
        thumbnails += collected.metadata.thumbnail is not None
        heaviest = {finding.weight for finding in collected.evidence}
        weights.update(str(weight) for weight in heaviest)
        codes.update({finding.code for finding in collected.evidence})
        if heaviest - {Weight.NOTE}:
            loud.append(str(path.relative_to(folder)))
    collector.close()
    result = {
        "pictures": pictures,
        "with_a_thumbnail": thumbnails,
        "pictures_by_weight": dict(weights),
        "pictures_by_code": dict(codes.most_common()),
    }
    print(json.dumps(result, indent=2), *loud, sep="\n")
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
