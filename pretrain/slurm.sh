#!/usr/bin/env bash
# Pretraining on the GPUs of one Slurm node. Submit it again to go on where it stopped:
#
#     sbatch --gpus-per-node 2 pretrain/slurm.sh CROPS OUT [RECIPE] [more options of pretrain]
#
# SIGTERM, which Slurm sends two minutes before the time ends, makes the run write a checkpoint and
# stop. --resume is always given; where there is no checkpoint, the run starts from the beginning, or with
# INIT=bundled or INIT=FILE in the environment from those weights.
#SBATCH --job-name=siman-pretrain
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
#SBATCH --output=%x-%j.log
set -euo pipefail

if (($# < 2)); then
    echo "usage: $0 CROPS OUT [RECIPE] [more options of siman-synth pretrain]" >&2
    exit 2
fi
crops=$1 out=$2 recipe=${3:-paper}
shift $(($# < 3 ? $# : 3))

begin=(--resume)
if [[ -n ${INIT:-} ]] && ! compgen -G "$out/checkpoints/state-*.pt" >/dev/null; then
    begin=(--init "$INIT")
fi

launch=()
if [[ -n ${SLURM_JOB_ID:-} ]]; then
    launch=(srun)
fi
exec "${launch[@]}" "${PYTHON:-python}" -m torch.distributed.run \
    --standalone --nproc-per-node "${SLURM_GPUS_ON_NODE:-1}" \
    -m siman_synth pretrain --crops "$crops" --out "$out" --recipe "$recipe" "${begin[@]}" "$@"
