from .finetuning import finetune as finetune
from .pretraining import Result as Result
from .pretraining import changed as changed
from .pretraining import pretrain as pretrain
