# frozen_string_literal: true

# The tables of docs/psycopg2.md.
class ConformanceList
  PATH = File.expand_path("../../docs/psycopg2.md", __dir__)

  # theirs and ours are names; state is "yes", "not yet" or "no".
  Row = Struct.new(:theirs, :ours, :state)

  # @return [Hash{String => Array<Row>}] by the titles of the sections
  def self.sections
    text = File.read(PATH, encoding: "UTF-8")
    text.split(/^## /).drop(1).to_h { |section| [section.lines.first.strip, rows(section)] }
  end

  # Without the head of the table and the line below it.
  def self.rows(section)
    section.lines.grep(/\A\|/).drop(2).map do |line|
      theirs, ours, state = line.split("|").drop(1).map(&:strip)
      Row.new(theirs.scan(/`([^`]+)`/).flatten, ours.scan(/`([^`]+)`/).flatten, state)
    end
  end
  private_class_method :rows

  # @return [Boolean] whether there is such a constant, public method of the module (Pgconn.name), or public
  #   method of a class's objects (Cursor#name)
  def self.there?(name)
    owner, separator, method = name.partition(/[#.]/)
    owner = "Pgconn::#{owner}" unless owner.start_with?("Pgconn")
    return Object.const_defined?(owner) if separator.empty?

    owner = Object.const_get(owner)
    separator == "#" ? owner.public_method_defined?(method) : owner.respond_to?(method)
  end
end
