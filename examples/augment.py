"""Look at images under RandAugment before you train on them.

    python examples/augment.py                      # two photographs
    python examples/augment.py --images DIR
    python examples/augment.py --magnitude 27 --table noisy_student
    python examples/augment.py --ops rotate color --num-ops 1

The script writes two pictures. `views.png` has random views of each image, and
`ops.png` has every op at five magnitudes. If you cannot name the class of a
view, the model learns a wrong one: lower the magnitude, or leave out the op.
"""

import argparse
import os
import pathlib


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--images", metavar="DIR")
    parser.add_argument("--num-images", type=int, default=6)
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--num-views", type=int, default=8)
    parser.add_argument("--num-ops", type=int, default=2)
    parser.add_argument("--magnitude", type=float, default=10)
    parser.add_argument("--table", default="randaugment")
    parser.add_argument("--ops", nargs="+", metavar="OP")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", metavar="DIR", default="runs/augment")
    return parser.parse_args()


if __name__ == "__main__":
    # Before the imports that take seconds.
    parse_arguments()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

import keras_fewlabels as kfl

MAGNITUDES = (0, 2.5, 5, 7.5, 10)


def load_photographs(image_size):
    from sklearn.datasets import load_sample_images

    photographs = np.stack(load_sample_images().images)
    images = keras.ops.image.resize(
        photographs,
        (image_size, image_size),
        antialias=True,
        crop_to_aspect_ratio=True,
    )
    return keras.ops.convert_to_numpy(images)


def load_folder(folder, image_size, num_images, seed):
    dataset = keras.utils.image_dataset_from_directory(
        folder,
        labels=None,
        image_size=(image_size, image_size),
        crop_to_aspect_ratio=True,
        batch_size=num_images,
        seed=seed,
    )
    return next(iter(dataset)).numpy().round().astype("uint8")


def draw_ops(image, ops, table, seed):
    """Draws each op at each magnitude, with the same random signs."""
    rows = [
        [
            kfl.layers.RandAugment(
                1, magnitude, ops=[op], table=table, seed=seed
            )(image)
            for magnitude in MAGNITUDES
        ]
        for op in ops
    ]
    captions = [f"{op} {magnitude}" for op in ops for magnitude in MAGNITUDES]
    return kfl.plots.contact_sheet(
        np.concatenate(rows), captions, num_columns=len(MAGNITUDES)
    )


def main():
    arguments = parse_arguments()
    if arguments.images:
        images = load_folder(
            arguments.images,
            arguments.image_size,
            arguments.num_images,
            arguments.seed,
        )
    else:
        images = load_photographs(arguments.image_size)

    def new_layer():
        return kfl.layers.RandAugment(
            num_ops=arguments.num_ops,
            magnitude=arguments.magnitude,
            ops=arguments.ops,
            table=arguments.table,
            seed=arguments.seed,
        )

    views = kfl.plots.augmentations(images, new_layer(), arguments.num_views)

    # The same layer in an input pipeline ...
    dataset = tf.data.Dataset.from_tensors(images).repeat(arguments.num_views)
    dataset = dataset.map(new_layer())

    # ... and as the first layer of a model, which augments while it trains.
    model = keras.Sequential(
        [keras.Input(images.shape[1:], dtype="uint8"), new_layer()]
    )
    same = all(
        np.array_equal(batch, model(images, training=True)) for batch in dataset
    )
    print(f"The pipeline and the model draw the same: {same}")

    ops = new_layer().ops
    ops_by_magnitude = draw_ops(images[0], ops, arguments.table, arguments.seed)
    folder = pathlib.Path(arguments.save)
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (("views", views), ("ops", ops_by_magnitude)):
        figure.savefig(folder / f"{name}.png", dpi=120)
        print(f"Wrote {folder / name}.png")


if __name__ == "__main__":
    main()
