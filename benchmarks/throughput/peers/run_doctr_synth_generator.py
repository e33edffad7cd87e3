"""Make word images with docTR-Synth-Generator; run by its own interpreter with a request file.

`words` is its default for recognition, with given words, fonts and backgrounds instead of downloaded
ones, one worker, JPEG.
"""

import glob
import json
import os
import sys


def main():
    from generator import generate_dataset

    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    generate_dataset(
        request["out"],
        request["count"],
        wordlist_path=request["words"],
        font_dir=request["fonts"],
        bg_image_dir=request["backgrounds"],
        auto_download_fonts=False,
        auto_download_backgrounds=False,
        num_workers=1,
        output_jpeg=True,
    )
    made = len(glob.glob(os.path.join(request["out"], "**", "*.jpg"), recursive=True))
    print(json.dumps({"images": made}))


if __name__ == "__main__":
    main()
