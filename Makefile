# The ways in: `make help` lists them. CONFIG chooses the scale for run, plan and partial.
CONFIG ?= config/config.yaml
CORES ?= $(shell nproc)
PYTHON ?= python3
ifeq ($(CORES),all)
override CORES := $(shell nproc)
endif
ifeq ($(shell echo '$(CORES)' | grep -Ex '[1-9][0-9]{0,3}'),)
$(error CORES is '$(CORES)', but must be a whole number from 1 to 9999, or all)
endif
BIN = .venv/bin
# A live picture of the progress on a terminal, plain lines in a file.
LOGGER := $(shell test -t 2 && echo --logger rich)
# Without a job's reason, which may be a page of file names; failures are shown in full all the same.
SNAKEMAKE = $(BIN)/snakemake --cores $(CORES) --quiet reason $(LOGGER)

# A user's PYTHONPATH, PYTHONHOME and the like are meant for other programs.
unexport $(filter PYTHON%,$(.VARIABLES))

# What is published, and the config that asks for its runs.
PUBLISHED ?= results/reference
REFERENCE ?= config/reference.yaml

.PHONY: help quick doctor run plan partial unpack reference compared publish slurm test test-all bench cost lint lock clean
help:           ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1/p' $(MAKEFILE_LIST)

# Made again whenever the lock changes; the stamp is written last, so a half-made one does not count.
# Without a pip of its own: Debian's python3 has no ensurepip, and this machine's pip installs into it.
.venv/installed: envs/requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 …")'
	@echo "Installing into .venv: PyTorch and its CUDA libraries are about 3 GB to fetch"
	$(PYTHON) -m venv --without-pip --clear .venv
	@$(PYTHON) envs/install.py $(BIN)/python envs/requirements.lock
	@touch $@

quick: .venv/installed  ## every table and figure, offline, in minutes on two cores
	@echo "Follow the jobs in results/quick/blocks/**/*.log: a line an epoch, a line an attack"
	$(SNAKEMAKE) --configfile config/quick.yaml
	@$(BIN)/python workflow/scripts/where_to_look.py results/quick

run: .venv/installed    ## every table and figure of CONFIG (the whole paper by default)
	$(SNAKEMAKE) --configfile $(CONFIG)

plan: .venv/installed   ## how many runs and about how much time CONFIG takes, without running it
	@$(BIN)/python workflow/scripts/plan.py --config $(CONFIG) --jobs $(CORES)

# Works before anything is installed, to say that it is not.
doctor:         ## what this machine has and lacks for running CONFIG, and the next step
	@$(or $(wildcard $(BIN)/python),$(PYTHON)) workflow/scripts/doctor.py --config $(CONFIG) --jobs $(CORES)

partial: .venv/installed ## draw what the runs of CONFIG that exist allow; start none
	$(SNAKEMAKE) --configfile $(CONFIG) config/partial.yaml

unpack: .venv/installed ## put the published runs back, so that `make run CONFIG=config/reference.yaml` goes on
	@$(BIN)/python workflow/scripts/unpack.py $(PUBLISHED) --config $(REFERENCE)
	$(SNAKEMAKE) --configfile $(REFERENCE) -- datasets

# Documents that quote what is published.
QUOTING = README.md $(wildcard docs/findings.md)

# In a copy, from the published runs alone: others may lie here.
AGAIN = .reference
define make_again
	rm -rf $(AGAIN) && mkdir $(AGAIN)
	cp -r Snakefile rules workflow config envs profiles report $(AGAIN)
	@cd $(AGAIN) && ../$(BIN)/python workflow/scripts/unpack.py $(abspath $(PUBLISHED)) --config $(REFERENCE)
	cd $(AGAIN) && ../$(SNAKEMAKE) --quiet all --configfile $(REFERENCE) config/partial.yaml
endef

reference:      ## make what is published again from its runs: tables, figures, verdicts; compare
	@if [ -d $(PUBLISHED) ]; then $(MAKE) --no-print-directory compared; \
		else echo "Nothing is published in $(PUBLISHED) yet: nothing to make again"; fi

compared: .venv/installed
	$(make_again)
	@$(BIN)/python workflow/scripts/compare.py $(AGAIN)/results/*/partial $(PUBLISHED)
	@$(BIN)/python workflow/scripts/quote.py --check $(PUBLISHED) $(QUOTING)
	@rm -rf $(AGAIN)

publish: .venv/installed ## publish the finished runs of config/reference.yaml and what is made of them
	$(SNAKEMAKE) --configfile $(REFERENCE) config/partial.yaml
	@$(BIN)/python workflow/scripts/pack.py $(PUBLISHED) --config $(REFERENCE)
	$(make_again)
	@$(BIN)/python workflow/scripts/compare.py --update $(AGAIN)/results/*/partial $(PUBLISHED)
	@$(BIN)/python workflow/scripts/quote.py $(PUBLISHED) $(QUOTING)
	@cp $(AGAIN)/results/*/partial/figures/distribution.png docs/
	@rm -rf $(AGAIN)

# Not in the default installation: its import asks the cluster, and waits where none answers.
.venv/slurm: .venv/installed envs/requirements-slurm.lock
	@$(PYTHON) envs/install.py $(BIN)/python envs/requirements-slurm.lock
	@touch $@

slurm: .venv/slurm      ## Snakemake's SLURM plugin, for --workflow-profile profiles/slurm

# Two processes, which share the tests as tests/helpers/side_by_side.py says.
PYTEST = $(BIN)/python -m pytest -n 2 $(TESTS)

test: .venv/installed   ## the tests, without those that take long, in minutes on two cores
	$(PYTEST) -m "not slow"

test-all: .venv/installed ## all tests that this machine can run
	$(PYTEST)

# What other packages are compared with is no part of the default installation either.
.venv/bench: .venv/installed envs/requirements-bench.lock
	@$(PYTHON) envs/install.py $(BIN)/python envs/requirements-bench.lock
	@touch $@

bench: .venv/bench      ## what training, attacks and planning cost here, beside other code, in 10 minutes
	$(BIN)/python benchmarks --output results/bench.csv

cost: .venv/installed   ## write again what docs say of costs, after config/costs.yaml or a scale has changed
	$(BIN)/python benchmarks/cost_page.py

lint: .venv/installed   ## what CI checks before the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/hadolint Dockerfile

lock: .venv/installed   ## resolve envs/requirements.in into envs/requirements.lock again
	$(BIN)/uv pip compile envs/requirements.in --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet -o envs/requirements.lock
	for extra in slurm bench; do \
		$(BIN)/uv pip compile envs/requirements-$$extra.in --universal --python-version 3.11 \
			-c envs/requirements.lock --generate-hashes --no-emit-index-url --no-header --quiet \
			-o envs/requirements-$$extra.lock || exit; \
	done

clean:          ## delete the environment and what tools leave behind, never results
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
