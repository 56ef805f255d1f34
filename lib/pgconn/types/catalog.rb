# frozen_string_literal: true

module Pgconn
  class Types
    # Asks the server what it knows of types, in one statement for a call.
    # @api private
    class Catalog
      # kind is pg_type.typtype, of a domain that of the type below. parts has, for each attribute of a
      # composite and for the subtype of a range, the OID and that of the type below; names are the
      # attributes'. multirange is a range's, or nil.
      Type = Struct.new(:oid, :name, :kind, :array_oid, :delimiter, :names, :parts, :multirange)

      # text[] and oid[]: with them given nothing has to be asked first.
      TEXT_ARRAY = 1009
      OID_ARRAY = 1028

      # A type of that kind, in words.
      KINDS = { "c" => "composite type", "e" => "enum", "r" => "range type", "b" => "base type" }.freeze

      # What a domain comes down to; of other types themselves.
      BASE = <<~SQL
        (WITH RECURSIVE domain AS (
           SELECT oid, typbasetype FROM pg_catalog.pg_type WHERE oid = %<oid>s
           UNION ALL
           SELECT below.oid, below.typbasetype
           FROM domain JOIN pg_catalog.pg_type AS below ON below.oid = domain.typbasetype)
         SELECT oid FROM domain WHERE typbasetype = 0)
      SQL

      # A row for each attribute, with the subtype of a range as its only one. Servers have multiranges from
      # 14 on.
      SQL = <<~SQL.freeze
        SELECT asked.number, type.oid, type.typname, base.typtype, type.typarray, type.typdelim,
               multirange.oid, multirange.typname, multirange.typtype, multirange.typarray, multirange.typdelim,
               attribute.name, attribute.type, #{format(BASE, oid: "attribute.type")}
        FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::oid[]))
             WITH ORDINALITY AS asked (name, oid, number)
        JOIN pg_catalog.pg_type AS type
             ON type.oid = coalesce(asked.oid, pg_catalog.to_regtype(asked.name)::oid)
        JOIN pg_catalog.pg_type AS base ON base.oid = #{format(BASE, oid: "type.oid")}
        LEFT JOIN pg_catalog.pg_range AS range ON range.rngtypid = base.oid
        LEFT JOIN pg_catalog.pg_type AS multirange ON base.oid = type.oid AND multirange.oid = %<multirange>s
        LEFT JOIN LATERAL (
          SELECT attnum AS number, attname AS name, atttypid AS type FROM pg_catalog.pg_attribute
          WHERE base.typtype = 'c' AND attrelid = base.typrelid AND attnum > 0 AND NOT attisdropped
          UNION ALL
          SELECT 0, NULL, range.rngsubtype WHERE range.rngsubtype IS NOT NULL
        ) AS attribute ON true
        ORDER BY asked.number, attribute.number
      SQL
      private_constant :TEXT_ARRAY, :OID_ARRAY, :KINDS, :BASE, :SQL

      # @param connection [Connection]
      def initialize(connection)
        @connection = connection
      end

      # @param names [Array<Integer, String, Symbol, Array(String, String)>] OIDs or names
      # @param kind [String, nil] what pg_type.typtype must be
      # @return [Array<Type>] in the same order
      # @raise [ProgrammingError] for a type that doesn't exist or is of another kind
      def types(names, kind: nil)
        names = names.map { |name| Name.new(name) }
        found = rows(sql, parameters(names)).group_by(&:first)
        names.each.with_index(1).map do |name, number|
          rows = found[number] or raise ProgrammingError, "type #{name} does not exist"
          type_of(rows).tap { |type| check_kind(type, name, kind) }
        end
      end

      # @return [Boolean] whether the database is in UTF-8
      def utf8?
        @connection.parameter_status("server_encoding") == "UTF8"
      end

      private

      def rows(...) = @connection.__send__(:catalog_rows, ...)

      def sql
        format(SQL, multirange: @connection.server_version >= 140_000 ? "range.rngmultitypid" : "0")
      end

      def parameters(names)
        [Typed.new(names.map(&:quoted), TEXT_ARRAY), Typed.new(names.map(&:oid), OID_ARRAY)]
      end

      def check_kind(type, name, kind)
        raise ProgrammingError, "#{name} is no #{KINDS.fetch(kind)}" unless kind.nil? || type.kind == kind
      end

      def type_of(rows)
        _, *type = rows.first
        attributes = rows.filter_map { |row| row.last(3) if row.last }
        Type.new(type[0], utf8(type[1]), *type[2, 3], attributes.map { |name,| utf8(name) },
                 attributes.map { |_, *oids| oids }, multirange_of(*type[5, 5]))
      end

      def multirange_of(oid, name, *rest)
        Type.new(oid, utf8(name), *rest) if oid
      end

      # Names as they stand in programs, whatever the client encoding is; SQL_ASCII may be anything.
      def utf8(name)
        return name&.encode(Encoding::UTF_8) unless name&.encoding == Encoding::BINARY

        text = name.dup.force_encoding(Encoding::UTF_8)
        text.valid_encoding? ? text : name
      end
    end
    private_constant :Catalog
  end
end
