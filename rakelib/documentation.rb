# frozen_string_literal: true

require "open3"

# What YARD makes of the sources, beside what Ruby makes of them.
class Documentation
  FOLDER = "tmp/yard"
  private_constant :FOLDER

  # @return [String] YARD's report
  attr_reader :report

  def initialize
    # Links are followed only where pages are written.
    @report, status = Open3.capture2e("bundle", "exec", "yard", "doc", "--fail-on-warning",
                                      "--output-dir", "#{FOLDER}/doc", "--db", "#{FOLDER}/db")
    @warned = !status.success?
  end

  # @return [Array<String>] what is wrong
  def problems
    gaps = "The documentation has gaps; `yard stats --list-undoc` lists them" unless complete?
    [("YARD has warnings" if @warned), gaps, *differences].compact
  end

  private

  def complete? = report.include?("100.00% documented")

  # YARD passes over methods whose class it can't make out, in C above all.
  def differences
    load
    modules_below(Pgconn).flat_map do |found|
      { instance: found, class: found.singleton_class }.flat_map do |scope, owner|
        difference(found.name, documented(found.name, scope), owner.public_instance_methods(false))
      end
    end
  end

  def load
    require "yard"
    $LOAD_PATH.unshift("lib")
    require "pgconn"
    YARD::Registry.load!("#{FOLDER}/db")
  end

  def modules_below(parent)
    children = parent.constants(false).map { |name| parent.const_get(name) }
                     .select { |child| child.is_a?(Module) && child.name.start_with?("#{parent.name}::") }
    [parent, *children.flat_map { |child| modules_below(child) }].uniq
  end

  def documented(name, scope)
    methods = YARD::Registry.at(name)&.meths(inherited: false, included: false).to_a
    methods.select { |method| method.scope == scope && method.visibility == :public }
           .map(&:name) - [:initialize]
  end

  def difference(name, documented, defined)
    (defined - documented).map { |method| "YARD finds no #{method} of #{name}" } +
      (documented - defined).map { |method| "#{name} has no #{method}, which YARD finds" }
  end
end
