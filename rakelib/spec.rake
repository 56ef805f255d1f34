# frozen_string_literal: true

rspec = %w[bundle exec rspec]

desc "Run the specs, but those tagged :long"
task spec: :compile do
  sh(*rspec)
end

namespace :spec do
  desc "Run the specs tagged :long"
  task long: :compile do
    sh(*rspec, "--tag", "long")
  end

  desc "Run the specs while the garbage collector works hard"
  task gc: %w[gc:stress gc:compact]

  namespace :gc do
    { stress: "Run the specs tagged :gc_stress under GC.stress",
      compact: "Run the specs while objects move" }.each do |mode, description|
      desc description
      task mode => :compile do
        sh({ "PGCONN_GC" => mode.to_s }, *rspec)
      end
    end
  end
end
