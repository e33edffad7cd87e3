"""Make word images with SynthTIGER; run by its own interpreter with a request file.

`example` is the template `examples/synthtiger` of SynthTIGER's own repository with its settings,
colours and textures; only words and fonts are exchanged. The installed package has no template,
so `short` stands in where there is no checkout: one of the package's components in about that
order, but without texture on letters, second text and visibility check, hence cheaper.
"""

import json
import os
import sys

import numpy as np
import synthtiger
from PIL import Image
from synthtiger import components, layers, templates, utils


class Short(templates.Template):
    """A word, distorted, in colour on a texture, with noise and blur."""

    def __init__(self, config):
        self.rng = np.random.default_rng(1)
        self.words = components.BaseCorpus(
            paths=[config["words"]], weights=[1], textcase=["lower", "upper", "capitalize"]
        )
        self.font = components.BaseFont(paths=[config["fonts"]], weights=[1], size=[40, 80], bold=0.5)
        self.texture = components.BaseTexture(
            paths=[config["backgrounds"]], weights=[1], alpha=[0, 1], crop=1
        )
        self.color = components.Gray(colorize=1)
        self.shape = components.ElasticDistortion(alpha=[15, 30], sigma=[4, 12])
        self.layout = components.Selector([components.FlowLayout(), components.CurveLayout()], weights=[4, 1])
        self.transform = components.Selector(
            [components.Perspective(), components.Trapezoidate(), components.Skew(), components.Rotate()]
        )
        self.noise = components.AdditiveGaussianNoise(scale=[4, 8])
        self.blur = components.GaussianBlur(sigma=[0, 2])

    def generate(self):
        word = self.words.data(self.words.sample())
        font = self.font.sample({"text": word})
        letters = [layers.TextLayer(letter, **font) for letter in word]
        self.shape.apply(letters)
        self.layout.apply(letters)
        text = layers.Group(letters).merge()
        self.color.apply([text])
        self.transform.apply([text])
        components.Fit().apply([text])
        ground = layers.RectLayer(text.output().shape[1::-1])
        self.color.apply([ground])
        self.texture.apply([ground])
        whole = layers.Layer(utils.blend_image(text.output(), ground.output()))
        self.noise.apply([whole])
        self.blur.apply([whole])
        return {"image": whole.output(), "label": word, "quality": int(self.rng.integers(50, 96))}

    def init_save(self, root):
        os.makedirs(root, exist_ok=True)
        self.labels = []

    def save(self, root, data, idx):
        image = Image.fromarray(data["image"][..., :3].astype(np.uint8))
        image.save(os.path.join(root, f"{idx}.jpg"), quality=data["quality"])
        self.labels.append(f"{idx}.jpg\t{data['label']}\n")

    def end_save(self, root):
        with open(os.path.join(root, "gt.txt"), "w", encoding="utf-8") as file:
            file.writelines(self.labels)


def example(request):
    """Return path, class and settings of the repository's own template."""
    os.chdir(request["checkout"])
    folder = os.path.join("examples", "synthtiger")
    config = synthtiger.read_config(os.path.join(folder, "config_horizontal.yaml"))
    words = config["corpus"]["args"][0]
    words["paths"], words["weights"] = [request["words"]], [1]
    config["font"]["paths"], config["font"]["weights"] = [request["fonts"]], [1]
    if not os.path.isdir(os.path.join("resources", "image")):
        config["texture"]["args"]["paths"] = [request["backgrounds"]]
    return os.path.join(folder, "template.py"), "SynthTiger", config


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    if request["variant"] == "example":
        path, name, config = example(request)
    else:
        path, name, config = os.path.abspath(__file__), "Short", request
    synthtiger.set_global_random_seed(1)
    writer = synthtiger.read_template(path, name, config)
    writer.init_save(request["out"])
    made = 0
    for index, data in synthtiger.generator(path, name, config=config, count=request["count"], seed=1):
        writer.save(request["out"], data, index)
        made += 1
    writer.end_save(request["out"])
    print(json.dumps({"images": made}))


if __name__ == "__main__":
    main()
