"""Make word images with text_renderer (oh-my-ocr); run by its own interpreter with a request file.

One process: its `Render` is called in a loop and JPEGs are written, where its command line would
add a writer process. Perspective, a line and drop-outs, as in its example for single words.
"""

import json
import os
import sys
from pathlib import Path


def main():
    import cv2
    from loguru import logger
    from text_renderer.config import NormPerspectiveTransformCfg, RenderCfg
    from text_renderer.corpus import EnumCorpus, EnumCorpusCfg
    from text_renderer.effect import DropoutRand, DropoutVertical, Effects, Line, OneOf
    from text_renderer.render import Render

    logger.remove()
    cv2.setNumThreads(1)
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    corpus = EnumCorpus(
        EnumCorpusCfg(
            font_dir=Path(request["fonts"]), font_size=(30, 31), text_paths=[Path(request["words"])]
        )
    )
    render = Render(
        RenderCfg(
            corpus=corpus,
            corpus_effects=Effects([Line(0.5), OneOf([DropoutRand(), DropoutVertical()])]),
            bg_dir=Path(request["backgrounds"]),
            perspective_transform=NormPerspectiveTransformCfg(5, 5, 1.5),
            gray=False,
        )
    )
    os.makedirs(request["out"])
    with open(os.path.join(request["out"], "labels.txt"), "w", encoding="utf-8") as labels:
        for number in range(request["count"]):
            image, word = render()
            name = f"{number}.jpg"
            cv2.imwrite(os.path.join(request["out"], name), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
            labels.write(f"{name}\t{word}\n")
    print(json.dumps({"images": request["count"]}))


if __name__ == "__main__":
    main()
