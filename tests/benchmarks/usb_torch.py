"""The speed of a minimal loop of PyTorch, beside that of `usb.py`.

A step does what a step of FixMatch does there, with the same network and from
images on the device. But its views are only flipped: it has no `RandAugment`,
which loops of PyTorch usually draw on the CPU. So it has less to do.
"""

import time

import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def activated(norm, x):
    return functional.leaky_relu(norm(x), 0.1)


class Block(nn.Module):
    """Two convolutions beside a shortcut, which has its own one if first."""

    def __init__(self, inputs, filters, strides, is_first):
        super().__init__()
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(width, eps=1e-3, momentum=0.001)
            for width in (inputs, filters)
        )
        self.first = nn.Conv2d(inputs, filters, 3, strides, 1)
        self.second = nn.Conv2d(filters, filters, 3, 1, 1)
        self.shortcut = None
        if is_first:
            self.shortcut = nn.Conv2d(inputs, filters, 1, strides)

    def forward(self, x):
        y = activated(self.norms[0], x)
        if self.shortcut is not None:
            x = self.shortcut(y)
        return x + self.second(activated(self.norms[1], self.first(y)))


def wide_resnet(depth, width):
    """Returns the network of `usb_model.wide_resnet` in PyTorch."""
    blocks = [nn.Conv2d(3, 16, 3, 1, 1)]
    inputs = 16
    for stage in range(3):
        filters = 16 * width * 2**stage
        for block in range((depth - 4) // 6):
            strides = 2 if stage > 0 and block == 0 else 1
            blocks.append(Block(inputs, filters, strides, block == 0))
            inputs = filters
    return nn.Sequential(
        *blocks,
        nn.BatchNorm2d(inputs, eps=1e-3, momentum=0.001),
        nn.LeakyReLU(0.1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(inputs, 10),
    )


class Loop:
    """Trains on images of the device, which are drawn at random.

    Args:
        images: uint8 array of shape `(num_images, height, width, channels)`.
        labels: Int array of shape `(num_images,)`.
        options: The options of `usb.py`.
    """

    def __init__(self, images, labels, options):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.half = options.dtype == "mixed_bfloat16"
        self.images = torch.from_numpy(images).to(self.device)
        self.labels = torch.from_numpy(labels).long().to(self.device)
        self.sizes = [
            options.batch_size,
            options.batch_size * options.ratio,
        ]
        net = wide_resnet(options.depth, options.width)
        self.net = net.to(self.device, memory_format=torch.channels_last)
        self.average = AveragedModel(
            self.net, multi_avg_fn=get_ema_multi_avg_fn(0.999)
        )
        self.optimizer = torch.optim.SGD(
            self.net.parameters(), 0.03, 0.9, weight_decay=5e-4, nesterov=True
        )

    def view(self, numbers):
        images = self.images[numbers].permute(0, 3, 1, 2) / 127.5 - 1
        flips = torch.rand(len(numbers), 1, 1, 1, device=self.device) < 0.5
        return torch.where(flips, images.flip(3), images)

    def scores(self, numbers):
        with torch.autocast(self.device, torch.bfloat16, self.half):
            return self.net(self.view(numbers)).float()

    def step(self):
        """Trains on one batch, and returns the loss as a tensor."""
        numbers = torch.randint(
            len(self.images), (sum(self.sizes),), device=self.device
        )
        self.net.eval()
        with torch.no_grad():
            taught = self.scores(numbers[self.sizes[0] :]).softmax(1)
        confidence, targets = taught.max(1)
        self.net.train()
        supervised, unsupervised = self.scores(numbers).split(self.sizes)
        labels = self.labels[numbers[: self.sizes[0]]]
        losses = functional.cross_entropy(
            unsupervised, targets, reduction="none"
        )
        loss = functional.cross_entropy(supervised, labels)
        loss = loss + (losses * (confidence >= 0.95)).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.average.update_parameters(self.net)
        return loss.detach()


def images_per_second(images, labels, options):
    """Returns how many images the loop trains on in a second.

    Args:
        images: As for `Loop`, and so are the following.
        labels: Int array.
        options: The options of `usb.py`.
    """
    torch.backends.cudnn.benchmark = True
    loop = Loop(images, labels, options)
    num_steps = min(200, options.epoch_steps)
    # The first round finds the fastest kernels.
    for _ in range(2):
        start = time.perf_counter()
        for _ in range(num_steps):
            loss = loop.step()
        # To read the loss is to wait for all steps.
        loss.item()
        seconds = time.perf_counter() - start
    # So that JAX finds the memory free.
    del loop, loss
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return num_steps * options.batch_size * (1 + options.ratio) / seconds
