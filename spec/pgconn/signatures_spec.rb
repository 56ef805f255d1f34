# frozen_string_literal: true

require "spec_helper"

RSpec.describe "The signatures in sig/" do
  # The folders and the signatures of the standard library that they need.
  def self.load_environment
    loader = RBS::EnvironmentLoader.new
    %w[bigdecimal date ipaddr].each { |name| loader.add(library: name, version: nil) }
    loader.add(path: Pathname(__dir__).join("../../sig"))
    RBS::Environment.from_loader(loader).resolve_type_names
  end

  # Called by the C code and by the specs only; users have no business with them.
  internal_modules = %w[Pgconn::Codec Pgconn::ErrorFactory Pgconn::Params]
  # What Marshal calls.
  internal_methods = %i[marshal_dump marshal_load]

  def self.modules_below(parent)
    parent.constants(false).map { |name| parent.const_get(name) }
          .select { |value| value.is_a?(Module) && value.name&.start_with?("#{parent.name}::") }
          .flat_map { |found| [found, *modules_below(found)] }
  end

  environment = nil
  builder = nil

  before(:all) do
    # Not at the top: the objects it brings would slow down each collection under GC.stress.
    require "rbs"
    require "rbs/test"
    require "pgconn/instrumentation/active_support"
    environment = self.class.load_environment
    builder = RBS::DefinitionBuilder.new(env: environment)
  end

  let(:modules) do
    [Pgconn, *self.class.modules_below(Pgconn)].uniq.reject { |found| internal_modules.include?(found.name) }
  end
  let(:signed) { modules.select { |found| environment.module_class_entry(type_name(found.name)) } }

  def type_name(name)
    RBS::TypeName.parse("::#{name}")
  end

  # The names of the public methods that the signature of this very module declares.
  def declared(definition, name)
    definition.methods.select do |_, method|
      method.public? && method.defs.any? { |found| [found.defined_in, found.implemented_in].include?(name) }
    end.keys
  end

  # What only one of the two has, as text for a message.
  def difference(found, signed, defined)
    (signed - defined).map { |method| "#{found.name}: no method #{method}" } +
      (defined - signed).map { |method| "#{found.name}: no signature of #{method}" }
  end

  it "are valid" do
    validator = RBS::Validator.new(env: environment)
    names = environment.class_decls.keys.select { |name| name.to_s.start_with?("::Pgconn") }
    expect(names).not_to be_empty
    names.each do |name|
      [builder.build_instance(name), builder.build_singleton(name)].each do |definition|
        definition.each_type { |type| validator.validate_type(type, context: nil) }
      end
    end
  end

  it "have every class and module" do
    expect((modules - signed).map(&:name)).to eq([])
  end

  it "have every public method of the objects, and nothing else" do
    differences = signed.flat_map do |found|
      name = type_name(found.name)
      methods = declared(builder.build_instance(name), name) - [:initialize]
      difference(found, methods, found.public_instance_methods(false) - internal_methods)
    end
    expect(differences).to eq([])
  end

  it "have every public method of the classes and modules themselves, and nothing else" do
    differences = signed.flat_map do |found|
      name = type_name(found.name)
      difference(found, declared(builder.build_singleton(name), name) - [:new], found.singleton_methods(false) - [:new])
    end
    expect(differences).to eq([])
  end

  it "have no class that isn't there" do
    names = environment.class_decls.keys.map(&:to_s).grep(/\A::Pgconn/).map { |name| name.delete_prefix("::") }
    expect(names.reject { |name| Object.const_defined?(name) }).to eq([])
  end

  it "have the constants with their types" do
    check = RBS::Test::TypeCheck.new(self_class: Pgconn, builder: builder, sample_size: nil, unchecked_classes: [])
    constants = environment.constant_decls.select { |name, _| name.to_s.start_with?("::Pgconn::") }
    wrong = constants.reject do |name, entry|
      check.value(Object.const_get(name.to_s.delete_prefix("::")), entry.decl.type)
    end
    expect(wrong.keys.map(&:to_s)).to eq([])
  end
end
