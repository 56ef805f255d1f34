# frozen_string_literal: true

require "English"

module Pgconn
  # Makes errors from what the server and libpq said. The extension gathers the texts and calls it.
  # @api private
  module ErrorFactory
    # States that come from parameters whose types the server couldn't tell.
    CAST_STATES = %w[42P18 42725].freeze
    # What can be done about them.
    CAST_HINT = "Add a cast to the parameter, such as $1::int."
    # The message where neither the server nor libpq said anything.
    LOST_MESSAGE = "connection to the server was lost"

    class << self
      # @param fields [Hash{Symbol => String, Integer}] the keywords of {Diagnostics}; empty where
      #   the server said nothing
      # @param pgerror [String, nil] libpq's text for the server's message
      # @param libpq_text [String, nil] what libpq itself said of the connection's loss
      # @param remark [String, nil] what the driver adds
      # @param ended [Boolean] the session ended with this error
      # @param context [Hash] further keywords of {Error}
      # @return [Error]
      def build(fields, pgerror: nil, libpq_text: nil, remark: nil, ended: false, **context)
        diag = Diagnostics.new(**with_cast_hint(fields))
        own_text, whole_text = libpq_texts(pgerror, libpq_text, diag)
        message = join([*server_message(diag), own_text&.strip], "\n")
        message ||= LOST_MESSAGE if ended
        message = join([message, remark], "\n")
        error_class(diag.sqlstate, ended).new(message, diag: diag, pgerror: whole_text, **context)
      end

      # Gives an error its cause before it is raised. That is the error being handled, as Ruby has it, only
      # where it tells of the given one, too.
      #
      # @param error [Error] a new one
      # @param cause [Error]
      # @return [Error] the first
      def with_cause(error, cause)
        error.set_backtrace([]) # so that raise makes none
        raise error, cause: tells_of?($ERROR_INFO, cause) ? $ERROR_INFO : cause
      rescue Error => e
        raise unless e.equal?(error)

        error.set_backtrace(nil) # it gets that of where it is raised
        error
      end

      private

      def tells_of?(error, cause)
        error = error.cause until error.nil? || error.equal?(cause)
        !error.nil?
      end

      def with_cast_hint(fields)
        return fields unless CAST_STATES.include?(fields[:sqlstate])

        fields.merge(message_hint: join([fields[:message_hint], CAST_HINT], "\n"))
      end

      def error_class(sqlstate, ended)
        found = Errors.lookup(sqlstate)
        ended && !(found <= ConnectionLost) ? ConnectionLost : found
      end

      def server_message(diag)
        [
          diag.message_primary,
          diag.message_detail && "DETAIL:  #{diag.message_detail}",
          diag.message_hint && "HINT:  #{diag.message_hint}"
        ]
      end

      # What libpq said apart from the server's message, and all that it said. Its text for the
      # connection may repeat the message's.
      def libpq_texts(pgerror, libpq_text, diag)
        repeated = pgerror && libpq_text&.b&.include?(pgerror.b)
        whole = repeated ? libpq_text : join([pgerror, libpq_text], "")
        return [whole, whole] unless diag.message_primary

        [repeated ? without(libpq_text, pgerror) : libpq_text, whole]
      end

      def without(text, part)
        before, _, after = text.b.partition(part.b)
        (before + after).force_encoding(text.encoding)
      end

      # Texts from before authentication may be in another encoding than those after it.
      def join(texts, separator)
        texts = texts.reject { |text| text.nil? || text.empty? }
        texts.join(separator) unless texts.empty?
      rescue EncodingError
        texts.map(&:b).join(separator)
      end
    end
  end
end
