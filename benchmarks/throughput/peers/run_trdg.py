"""Make word images with TRDG; run by its own interpreter with a request file.

`stock` is its default: dark letters on grey noise. `pictures` writes on pictures, with skew, blur
and a sine distortion. TRDG draws some images that it then rejects; only written ones count.
"""

import glob
import json
import os
import random  # noqa: TID251 - what TRDG itself draws from
import sys

VARIANTS = {
    "stock": {},
    "pictures": {
        "background_type": 3,
        "skewing_angle": 5,
        "random_skew": True,
        "blur": 1,
        "random_blur": True,
        "distorsion_type": 1,
        "text_color": "#000000,#888888",
    },
}


def main():
    from trdg.generators import GeneratorFromStrings

    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    random.seed(1)
    with open(request["words"], encoding="utf-8") as file:
        words = file.read().split()
    random.shuffle(words)
    fonts = sorted(glob.glob(os.path.join(request["fonts"], "*.ttf")))
    options = dict(VARIANTS[request["variant"]], image_dir=request["backgrounds"])
    os.makedirs(request["out"])
    made = 0
    with open(os.path.join(request["out"], "labels.txt"), "w", encoding="utf-8") as labels:
        for image, word in GeneratorFromStrings(
            words, count=request["count"], fonts=fonts, size=32, **options
        ):
            if image is None:
                continue
            image.convert("RGB").save(os.path.join(request["out"], f"{made}.jpg"))
            labels.write(f"{made}.jpg {word}\n")
            made += 1
    print(json.dumps({"images": made}))


if __name__ == "__main__":
    main()
