"""FILE: the least that any pipeline must do - decode at a scale, encode what is already resized.

Prints the CPU seconds of that. A program of its own, so that it runs as the sandbox's children do.
"""

from __future__ import annotations

import sys
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from mediaplatform_worker.images.decode import decode, prepare
from mediaplatform_worker.images.renditions import AVIF, JPEG, SIZES, read


def main(path: Path) -> None:
    prepare()
    with path.open("rb") as file:
        sizes = list(read(file).sizes.values())
        file.seek(0)
        decoded = decode(file, longest=SIZES[0])
        scale = round(max(decoded.width, decoded.height) / max(decoded.pixels.size))
        file.seek(0)
        started = time.process_time()
        image = Image.open(file)
        image.draft(None, (image.width // scale, image.height // scale))
        image.load()
        for encoder in (JPEG, AVIF):
            for each in sizes:
                each.save(BytesIO(), encoder.name, **encoder.options)
    print(time.process_time() - started)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
