"""Compare how lines of 25 scripts and more are drawn with Pillow's libraqm; docs/make_scripts.py shows it.

    SIMAN_TEST_FONTS=/folder/of/noto python docs/script_agreement.py

writes docs/scripts/agreement.json. Scripts whose fonts are not in the box need Debian's fonts-noto-core, or
the folder of such fonts in SIMAN_TEST_FONTS; it stops where one is missing.
"""

import json
import sys
from pathlib import Path

import click

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from siman_synth.render.fonts import FontLibrary  # noqa: E402
from siman_synth.render.vertical import ACROSS, DOWN  # noqa: E402
from siman_synth.text.corpus import Corpus  # noqa: E402
from tests.render.reference import agreement, font_file  # noqa: E402

AGREEMENT = DOCS / "scripts" / "agreement.json"
WORDS = 12
IN_THE_BOX = {
    "Latin": ("Open Sans", "english"),
    "Arabic": ("Noto Naskh Arabic", "arabic"),
    "Hebrew": ("Noto Sans Hebrew", "hebrew"),
    "Devanagari": ("Noto Sans Devanagari", "hindi"),
    "Bengali": ("Noto Sans Bengali", "bengali"),
    "Tamil": ("Noto Sans Tamil", "tamil"),
    "Thai": ("Noto Sans Thai", "thai"),
    "Georgian": ("Noto Sans Georgian", "georgian"),
    "Armenian": ("Noto Sans Armenian", "armenian"),
    "Ethiopic": ("Noto Sans Ethiopic", "amharic"),
    "Japanese": ("Noto Sans JP", "japanese"),
    "Korean": ("Noto Sans KR", "korean"),
    "Chinese, simplified": ("Noto Sans SC", "chinese"),
}
"""Scripts by the bundled family and list that they are tried with."""
DOWNWARDS = ("Japanese", "Korean", "Chinese, simplified")
OTHERS = {
    "Greek": ("Open Sans", "Αθήνα προϊόν λόγος"),
    "Cyrillic": ("Open Sans", "Привет Київ Београд"),
    "Urdu (Nastaliq)": ("NotoNastaliqUrdu-Regular.ttf", "اردو پاکستان کتاب"),
    "Persian": ("Noto Naskh Arabic", "تهران می‌خواهم ۱۲۳"),
    "Gurmukhi": ("NotoSansGurmukhi-Regular.ttf", "ਪੰਜਾਬੀ ਗੁਰਮੁਖੀ ਸਤਿ"),
    "Gujarati": ("NotoSansGujarati-Regular.ttf", "ગુજરાતી ક્ષમા શક્તિ"),
    "Oriya": ("NotoSansOriya-Regular.ttf", "ଓଡ଼ିଆ ଶକ୍ତି ଭାରତ"),
    "Telugu": ("NotoSansTelugu-Regular.ttf", "తెలుగు శక్తి భారతం"),
    "Kannada": ("NotoSansKannada-Regular.ttf", "ಕನ್ನಡ ಶಕ್ತಿ ಭಾರತ"),
    "Malayalam": ("NotoSansMalayalam-Regular.ttf", "മലയാളം ശക്തി കേരളം"),
    "Sinhala": ("NotoSansSinhala-Regular.ttf", "සිංහල ක්‍ෂේ ලංකා"),
    "Lao": ("NotoSansLao-Regular.ttf", "ພາສາລາວ ວຽງຈັນ"),
    "Khmer": ("NotoSansKhmer-Regular.ttf", "ភាសាខ្មែរ កម្ពុជា"),
    "Burmese": ("NotoSansMyanmar-Regular.ttf", "မြန်မာ ရန်ကုန်"),
    "Tibetan": ("NotoSerifTibetan-Regular.ttf", "བོད་ཡིག ལྷ་ས"),
    "Syriac": ("NotoSansSyriac-Regular.ttf", "ܣܘܪܝܝܐ ܠܫܢܐ"),
    "Thaana": ("NotoSansThaana-Regular.ttf", "ދިވެހި މާލެ"),
    "Mongolian": ("NotoSansMongolian-Regular.ttf", "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ"),
    "Javanese": ("NotoSansJavanese-Regular.ttf", "ꦗꦮ ꦲꦏ꧀ꦱꦫ"),
    "Tifinagh": ("DejaVuSans.ttf", "ⵜⴰⵎⴰ ⵣⵉⵖⵜ"),
}
"""Scripts without a word list in the box, by a bundled family or a font file, and words of theirs."""


@click.command()
def main() -> None:
    """Write docs/scripts/agreement.json: of each script the font, how many words, and the least agreement."""
    rows = []
    for script, (family, corpus) in IN_THE_BOX.items():
        path = FontLibrary.open([family]).fonts[0].path
        found = Corpus.open(corpus, 1000)
        words = [found[index] for index in range(0, len(found), len(found) // WORDS)][:WORDS]
        for writing in (ACROSS, DOWN) if script in DOWNWARDS else (ACROSS,):
            least = min(agreement(path, word, writing=writing) for word in words)
            name = script if writing == ACROSS else f"{script}, downwards"
            rows.append([name, family, True, len(words), round(least, 3)])
    for script, (font, text) in OTHERS.items():
        bundled = not font.endswith(".ttf")
        path = FontLibrary.open([font]).fonts[0].path if bundled else font_file(font)
        least = min(agreement(path, word) for word in text.split())
        rows.append([script, font.removesuffix(".ttf"), bundled, len(text.split()), round(least, 3)])
    AGREEMENT.write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    click.echo(f"{len(rows)} rows, the least {min(row[-1] for row in rows)}.")


if __name__ == "__main__":
    main()
