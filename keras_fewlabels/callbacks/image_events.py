"""Images in the event files that TensorBoard reads."""

import io
import time


class ImageEvents:
    """Writes images to an event file, on any backend, without TensorFlow.

    Args:
        folder: String, the folder of one run.

    Raises:
        ImportError: If the package tensorboard is not installed.
    """

    def __init__(self, folder):
        try:
            from tensorboard.summary.writer import event_file_writer
        except ImportError as error:
            raise ImportError(
                "Event files are written by the package tensorboard, which is "
                "not installed. Run `pip install "
                '"keras-fewlabels[tensorboard]"`.'
            ) from error
        self._writer = event_file_writer.EventFileWriter(str(folder))

    def write(self, tag, image, step):
        """Adds an image.

        Args:
            tag: String, what it is called.
            image: A `PIL.Image.Image`.
            step: Int, the epoch.
        """
        from tensorboard.compat.proto import event_pb2, summary_pb2

        content = io.BytesIO()
        image.save(content, "png")
        summary = summary_pb2.Summary.Image(
            width=image.width,
            height=image.height,
            colorspace=3,
            encoded_image_string=content.getvalue(),
        )
        value = summary_pb2.Summary.Value(tag=tag, image=summary)
        self._writer.add_event(
            event_pb2.Event(
                wall_time=time.time(),
                step=step,
                summary=summary_pb2.Summary(value=[value]),
            )
        )

    def flush(self):
        self._writer.flush()

    def close(self):
        self._writer.close()
