# What one does often, by name. CONTRIBUTING.md has more.

_list:
    @{{ just_executable() }} --list --unsorted

# Build the program
build:
    cargo build

# Run every test; the tests start PostgreSQL themselves
test:
    cargo test

# Run the tests with NAME in their path
test-one NAME:
    cargo test --workspace -- {{ NAME }}

# Formatting, lints, licenses and spelling
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo deny check
    typos

# Write tests/golden: what every plan of plans/ runs in the database
golden:
    CROSSFADE_TEST_GOLDEN=write cargo test --test integration golden
    git diff --stat tests/golden

# Write what the program tells of itself: commands, schema and plan language
docs:
    mkdir -p target
    cargo run --quiet -- reference > target/written && mv target/written docs/reference/commands.md
    cargo run --quiet -- schema > target/written && mv target/written plans/crossfade.schema.json
    cargo run --quiet -- schema --page > target/written && mv target/written docs/plan-language.md

# Build the book as web pages, in target/book
book:
    bash .ci/book

# Print the table of docs/reference/faults.md
faults:
    bash .ci/faults

# Measure; benches/README.md has the topics
bench TOPIC:
    cargo bench -- {{ TOPIC }}

# Begin a recipe, such as attach_partition
new-recipe NAME:
    bash .ci/new recipe {{ NAME }}

# Begin a rule for SQL, such as lock-table
new-rule NAME:
    bash .ci/new rule {{ NAME }}
