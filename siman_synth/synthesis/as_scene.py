"""Words that are drawn as the recipe `scene` draws them, whatever else a recipe says."""

from dataclasses import replace
from functools import cache

from siman_synth.config import load_config
from siman_synth.resources import resource_folder
from siman_synth.synthesis.config import GenerateConfig

RECIPE = "scene"


def drawn_as_scene(config: GenerateConfig) -> GenerateConfig:
    """Return the settings with fonts, layouts, margins, damage, noise and JPEG quality of the recipe `scene`.

    Text, styles, limits of aspect, vertical writing and the kind of image are those of `config`.
    """
    scene, own = _recipe(), config.render
    render = replace(
        scene.render,
        vertical=own.vertical,
        vertical_stacked=own.vertical_stacked,
        min_aspect=own.min_aspect,
        max_aspect=own.max_aspect,
    )
    finish = replace(
        config.finish, noise_sigma=scene.finish.noise_sigma, jpeg_quality=scene.finish.jpeg_quality
    )
    return replace(config, render=render, finish=finish)


@cache
def _recipe() -> GenerateConfig:
    return load_config(GenerateConfig, RECIPE, recipe_folder=resource_folder("recipes"))
