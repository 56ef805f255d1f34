# frozen_string_literal: true

# The environment of whoever runs the specs must not reach libpq: no PGHOST, no ~/.pgpass.
ENV.delete_if { |name, _| name.start_with?("PG") && !name.start_with?("PGCONN_") }
ENV["PGPASSFILE"] = "/nonexistent"

require_relative "support/warning_collector"
WarningCollector.install

require_relative "support/load_path"
$LOAD_PATH.unshift(*LoadPath::FOLDERS)
require "pgconn"
LoadPath.verify

Dir[File.join(__dir__, "support", "*.rb")].each { |file| require file }

RSpec.configure do |config|
  config.expect_with(:rspec) do |expectations|
    expectations.syntax = :expect
    expectations.include_chain_clauses_in_custom_matcher_descriptions = true
    # `raise_error` without a class would pass for a NoMethodError, too.
    expectations.on_potential_false_positives = :raise
    expectations.max_formatted_output_length = 2_000
  end
  config.disable_monkey_patching!
  config.warnings = true
  config.order = :random
  Kernel.srand config.seed

  # `rspec --tag long` wins over this line.
  config.filter_run_excluding :long unless ENV["PGCONN_LONG"]

  config.include ConnectionHelpers
  config.after { close_connections }

  GCMode.install(config, ENV["PGCONN_GC"])
  OpenDescriptors.install(config)

  config.after(:suite) do
    SharedServers.stop
    WarningCollector.verify
  end
end
