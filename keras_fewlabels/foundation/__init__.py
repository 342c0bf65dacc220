"""One place each for files, checks and the insides of Keras."""

from keras_fewlabels.foundation.arguments import (
    BOOL,
    NONE,
    Rule,
    check_argument,
    check_arguments,
    check_bool,
    check_choice,
    check_fraction,
    check_int,
    check_list,
    check_names,
    check_number,
    check_positive,
    check_probability,
    check_seed,
    check_type,
    check_verbose,
    choice_rule,
    int_rule,
    number_rule,
    type_rule,
)
from keras_fewlabels.foundation.batch_norm import (
    MovingStatistics,
    batch_norms,
    lagging_statistics,
    most_momentum,
)
from keras_fewlabels.foundation.files.atomic_write import (
    atomic_write,
    folder_path,
    paths_in,
    remove_unfinished,
    writable_folder,
    write_whole,
)
from keras_fewlabels.foundation.files.csv_table import (
    csv_text,
    read_csv,
    safe_cell,
)
from keras_fewlabels.foundation.files.read_file import open_file, read_text
from keras_fewlabels.foundation.files.web_page import (
    embedded_image,
    file_link,
    image_name,
    is_small,
    web_page_parts,
)
from keras_fewlabels.foundation.fingerprint import (
    essential_config,
    file_fingerprint,
    fingerprint,
)
from keras_fewlabels.foundation.has_accelerator import has_accelerator
from keras_fewlabels.foundation.keras_internals import (
    MultiWorkerFixes,
    build_at_init,
    compile_settings,
    compiled_learning_rate,
    copy_input,
    flatten_layers,
    forget_optimizer_state,
    graph_of,
    has_layers,
    has_stepped,
    inner_optimizer,
    input_tensors_of_calls,
    is_graph,
    losses_kept,
    model_between,
    nodes_in_order,
    optimized_variables,
    optimizer_state,
    own_dtypes,
    own_trainable_variables,
    replace_update,
    restore_update,
    run_through_graph,
    set_initial_epoch,
)
from keras_fewlabels.foundation.models.backbone_of import backbone_of
from keras_fewlabels.foundation.models.called_model import (
    check_built,
    check_called,
    check_one_input,
    check_strategy,
    has_own_predict,
    input_shape_of,
)
from keras_fewlabels.foundation.models.classifier import (
    check_classifier,
    check_one_output,
    check_scores_shape,
    ends_with,
)
from keras_fewlabels.foundation.models.head_input import head_input, last_dense
from keras_fewlabels.foundation.models.predict_array import (
    batch_size_for,
    predict_array,
)
from keras_fewlabels.foundation.models.saved_config import (
    save_as_it_is,
    save_with,
)
from keras_fewlabels.foundation.optional_import import optional_import
from keras_fewlabels.foundation.result import Result, as_json, save_figure
from keras_fewlabels.foundation.running_fit import (
    fit_arguments,
    when_fit_ends,
)
from keras_fewlabels.foundation.text_table import (
    check_class_names,
    class_name,
    printable,
    text_table,
    yes_and_no,
)
from keras_fewlabels.foundation.value_range import (
    check_value_range,
    has_other_range,
    resolve_value_range,
)
