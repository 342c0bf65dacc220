"""The search of `tune_rand_augment`, which KerasTuner conducts."""

import json
import pathlib

from keras_fewlabels.loops.read_json import read_json

PROJECT = "rand_augment"


def search(settings, accuracy_of, directory, verbose):
    """Has KerasTuner try settings one after another.

    Args:
        settings: List of pairs `(num_ops, magnitude)`.
        accuracy_of: Function of `num_ops` and `magnitude` that trains a model
            and returns its accuracy. What it raises passes through.
        directory: String or path. Trials that are finished there are not
            repeated; see `check_directory`.
        verbose: 0, or 1 for what KerasTuner prints.

    Returns:
        Dict of the settings to their accuracies.

    Raises:
        ImportError: If KerasTuner is not installed.
    """
    keras_tuner = _keras_tuner()

    class InOrder(keras_tuner.Oracle):
        def populate_space(self, trial_id):
            number = len(self.start_order)
            names = ("num_ops", "magnitude")
            values = dict(zip(names, settings[number], strict=True))
            return {"status": "RUNNING", "values": values}

    class Search(keras_tuner.engine.base_tuner.BaseTuner):
        def run_trial(self, trial):
            values = trial.hyperparameters.values
            try:
                return {"accuracy": accuracy_of(**values)}
            except Exception as error:
                # Any other error KerasTuner would count, and go on.
                raise keras_tuner.errors.FatalError from error

    objective = keras_tuner.Objective("accuracy", "max")
    oracle = InOrder(objective, max_trials=len(settings))
    oracle.verbose = verbose
    tuner = Search(oracle, directory=directory, project_name=PROJECT)
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    trials = [oracle.trials[name].score for name in oracle.start_order]
    return dict(zip(settings, trials, strict=True))


def check_directory(directory, search):
    """Sees to it that a directory holds this search, or none.

    KerasTuner takes up whatever trials it finds, also those of another grid,
    other data or another model.

    Args:
        directory: String or path. Made if there is none.
        search: Dict that JSON can hold, all that decides on the trials.

    Raises:
        ValueError: If there are trials of another search or damaged ones, or
            it is no folder that can be written to.
    """
    try:
        folder = pathlib.Path(directory) / PROJECT
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, TypeError) as error:
        raise ValueError(
            "`directory` must be a folder that can be written to. "
            f"Received: directory={directory!r} ({error})"
        ) from error
    file = folder / "search.json"
    search = json.loads(json.dumps(search))
    if not is_new:
        old = {}
        if file.exists():
            old = read_json(
                file,
                "so that nobody knows which search its folder holds the "
                "trials of. Pass a new `directory`, or remove the old one. "
                f"Received: directory={str(directory)!r}",
            )
        differing = [name for name in search if old.get(name) != search[name]]
        if differing:
            raise ValueError(
                "The directory holds the trials of another search, which say "
                "nothing about this one. Pass a new `directory`, or remove "
                f"the old one. Received: directory={str(directory)!r}, which "
                f"differs in {', '.join(differing)}"
            )
        return
    file.write_text(json.dumps(search, indent=1))


def _keras_tuner():
    try:
        import keras_tuner
    except ImportError as error:
        raise ImportError(
            "The search is conducted by KerasTuner, which is not installed. "
            "Run `pip install keras-fewlabels[tune]`."
        ) from error
    return keras_tuner
