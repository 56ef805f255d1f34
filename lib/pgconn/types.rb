# frozen_string_literal: true

module Pgconn
  # The types that a connection knows besides the built-in ones: {Connection#types}.
  #
  # A type is given by its name, found through the search_path, by "schema.name" or as
  # `[schema, name]`, never folded ("Mood" is the type that SQL calls `"Mood"`), or by its OID. Registering
  # asks the server once, inside the transaction that is open or in none: it leaves no transaction open.
  # With a type its arrays are registered.
  #
  # Registering it again as it is changes nothing; as something else, that counts from then on, also for
  # the composites, ranges and arrays that hold it. A type that was altered is to be registered again.
  #
  # OIDs belong to a database, and so does what is registered: connections to one database may share it by
  # `types:` of {Pgconn.connect}. What one registers is there for all of them at once. Callables
  # are called in the Ractor that the connection belongs to.
  #
  # @example
  #   conn.types.register_enum("mood", "shop.size")
  #   Address = conn.types.register_composite("address")
  #   conn.execute("SELECT $1::address", [Address.new("Main Street", "1010")]).fetch_value.zip # => "1010"
  #
  #   other = Pgconn.connect(uri, types: conn.types)
  class Types
    # @return [Registry]
    # @api private
    attr_reader :registry

    # @param connection [Connection]
    # @param others [Types, nil] whose registered types are shared
    # @raise [TypeError] for anything else
    # @api private
    def initialize(connection, others = nil)
      unless others.nil? || others.is_a?(Types)
        raise TypeError, "types must be those of another connection, not #{others.class}"
      end

      @registry = others ? others.registry : Registry.new
      @catalog = Catalog.new(connection)
    end

    # Registers a type with decoders and an encoder of your own; also in place of a built-in one's. What
    # isn't given stays as it is for the built-in type, or text for any other.
    #
    # What they raise comes out of the call that fetches or executes, and the connection stays usable.
    #
    # @param name [String, Symbol, Array(String, String), Integer] the type, see {Types}
    # @param decoder [#call, nil] gets the text, a String in the client encoding, and gives the value
    # @param binary_decoder [#call, nil] gets the bytes of the binary form (ASCII-8BIT) and must give an
    #   equal value. Without it results that have the type come as text
    # @param encoder [#call, nil] gets a parameter, whatever it is but nil, and gives what is sent: a String
    #   that the server reads as the type, or another value that can be a parameter; nil is NULL. Since
    #   any value may be meant for it, the first use of each statement with parameters then asks the
    #   server for their types, which costs a round trip. Within an Array that goes to an array of the type,
    #   Arrays are dimensions, and not handed to it
    # @return [nil]
    # @raise [ProgrammingError] if there is no such type
    # @raise [ArgumentError] if nothing is given to do, or a binary_decoder without a decoder
    # @raise [TypeError] for what can't be called
    # @example Exact sums of money
    #   conn.types.register("money", decoder: ->(text) { BigDecimal(text.delete("$,")) })
    # @example Keys of jsonb as Symbols
    #   conn.types.register("jsonb", decoder: ->(text) { JSON.parse(text, symbolize_names: true) })
    def register(name, decoder: nil, encoder: nil, binary_decoder: nil)
      check_callables(decoder: decoder, encoder: encoder, binary_decoder: binary_decoder)
      type, = @catalog.types([name])
      options = [decoder, binary_decoder, encoder]
      @registry.define { Definition.with_array(:custom, type, options: options) }
    end

    # Registers enums. Their values are Strings as before, and Symbols may be sent; but results that have
    # them can come in binary, and arrays of them are Arrays.
    #
    # @param names [Array<String, Symbol, Array(String, String), Integer>] the types, see {Types}
    # @return [nil]
    # @raise [ProgrammingError] if one of them doesn't exist or is no enum; then none is registered
    # @see https://www.postgresql.org/docs/current/datatype-enum.html PostgreSQL, "Enumerated Types"
    def register_enum(*names)
      types = @catalog.types(names, kind: "e")
      @registry.define { types.flat_map { |type| Definition.with_array(:text, type) } }
    end

    # Registers a composite type, or a table for its rows. Its values are Structs, or instances of a class
    # of yours. A parameter may be such an instance, another Struct or a Hash with the names of attributes
    # (those that aren't there are NULL), or an Array of all the values.
    #
    # @param name [String, Symbol, Array(String, String), Integer] the type, see {Types}
    # @param as [Class, nil] a Struct or Data with a member for each attribute, in any order; or a class
    #   whose `new` takes the attributes' values in their order, and which has a reader for each. nil: the
    #   class that the type is registered with, if its attributes have the same names, or a new Struct
    # @return [Class] of the values
    # @raise [ProgrammingError] if there is no such composite type, or the class has other members
    # @raise [TypeError] if as is no class
    # @see https://www.postgresql.org/docs/current/rowtypes.html PostgreSQL, "Composite Types"
    def register_composite(name, as: nil)
      raise TypeError, "as must be a Class, not #{as.class}" unless as.nil? || as.is_a?(Class)

      type, = @catalog.types([name], kind: "c")
      structure = nil
      @registry.define do |known|
        structure = Structure.for(type, as, known[type.oid])
        options = [type.parts.map(&:first), structure]
        Definition.with_array(:composite, type, parts: type.parts, options: options)
      end
      structure.klass
    end

    # Registers a range type and, on servers that have them (14 on), its multirange. Values are {Range} and
    # Arrays of them; the bounds are what the subtype's values are.
    #
    # @param name [String, Symbol, Array(String, String), Integer] the type, see {Types}
    # @return [nil]
    # @raise [ProgrammingError] if there is no such range type
    # @see https://www.postgresql.org/docs/current/rangetypes.html PostgreSQL, "Range Types"
    def register_range(name)
      type, = @catalog.types([name], kind: "r")
      multirange = type.multirange
      @registry.define do
        ranges = Definition.with_array(:range, type, parts: type.parts)
        ranges += Definition.with_array(:multirange, multirange, parts: [[type.oid]]) if multirange
        ranges
      end
    end

    # Registers the type of the extension hstore. Its values are Hashes of Strings, a value may be nil. A
    # parameter is a Hash with Strings or Symbols as keys; values that aren't Strings go in their text form.
    #
    # @param name [String, Symbol, Array(String, String), Integer] the type, see {Types}
    # @return [nil]
    # @raise [ProgrammingError] if there is no such type
    # @see https://www.postgresql.org/docs/current/hstore.html PostgreSQL, "hstore"
    def register_hstore(name = "hstore")
      type, = @catalog.types([name], kind: "b")
      @registry.define { Definition.with_array(:hstore, type, options: [@catalog.utf8?]) }
    end

    # @return [String]
    def inspect = "#<#{self.class}>"

    private

    def check_callables(callables)
      given = callables.compact
      raise ArgumentError, "give a decoder or an encoder" if given.empty?
      if given.key?(:binary_decoder) && !given.key?(:decoder)
        raise ArgumentError, "a binary_decoder needs a decoder, too"
      end

      name, wrong = given.find { |_, callable| !callable.respond_to?(:call) }
      raise TypeError, "#{name} must respond to call, not be #{wrong.inspect}" if name
    end
  end
end
