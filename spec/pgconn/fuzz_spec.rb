# frozen_string_literal: true

require "spec_helper"

# Whatever bytes a decoder gets, it gives a value or raises DataError. The fuzzers of rake fuzz say so
# of more inputs; these are the first of them.
RSpec.describe "Decoders" do
  let(:random) { Random.new(RSpec.configuration.seed) }

  # Numbers that are easily taken for a length or a count without being one.
  int32s = [0, 1, 2, 6, 7, 255, 65_535, 2**20, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 2, 2**32 - 1]
  edges = int32s.map { |number| [number].pack("N") } + ["\x7F\xFF".b, "\x80\x00".b, "\xFF\xFF".b, "\0".b]

  # What ends texts too early, opens what is never closed, or looks like a number.
  pieces = ["\0", "\xFF", "\xC3", "\\", "\\\\", "\"", "{", "}", "[", "]", "(", ")", ",", ":", "=", "-", "+", ".", "/", " ",
            "NULL", "NaN", "infinity", "BC", "e5", "0", "9" * 20, "24:00:00", "P1Y", "\\x", "\\u0000", "\\ud800"].map(&:b)

  def samples(oid)
    self.class.metadata[:samples][oid] ||= SampleValues.new(connect(autocommit: true)).of(oid)
  end

  def inputs(oid, format)
    samples(oid).filter_map(&format)
  end

  def json?(oid)
    Pgconn::Codec.types.fetch(oid).start_with?("json")
  end

  # The formats that the type is read in.
  def self.formats(oid)
    %i[text binary].select do |format|
      Pgconn::Codec.decode(oid, "", format: format)
      true
    rescue Pgconn::DataError
      true
    rescue ArgumentError
      false
    end
  end

  # Ruby's warning about a JSON number that is beyond a Float is not what is looked for.
  def decode_quietly(oid, bytes, format)
    verbose = $VERBOSE
    $VERBOSE = false
    Pgconn::Codec.decode(oid, bytes, format: format)
  ensure
    $VERBOSE = verbose
  end

  # What is wrong with the decoder's answer, or nil.
  def defect(oid, bytes, format)
    value = decode_quietly(oid, bytes, format)
    "#{bytes.inspect} gives nil" if value.nil? && !json?(oid)
  rescue Pgconn::DataError => e
    "#{bytes.inspect}: the message has invalid bytes" unless e.message.valid_encoding?
  rescue StandardError, SystemStackError, NoMemoryError => e
    "#{bytes.inspect} raises #{e.class}: #{e.message}"
  end

  def expect_no_defect(oid, format, inputs)
    expect(inputs.lazy.filter_map { |bytes| defect(oid, bytes, format) }.first(3)).to eq([])
  end

  # At every length; of long values at those near the ends.
  def truncated(bytes)
    lengths = [*0...bytes.bytesize]
    lengths = lengths.first(100) + lengths.last(100) if lengths.size > 200
    lengths.map { |length| bytes.byteslice(0, length) }
  end

  def mutated(bytes, others)
    copy = bytes.b
    at = random.rand(copy.bytesize + 1)
    case random.rand(6)
    when 0 then copy.setbyte(at - 1, random.rand(256)) unless copy.empty?
    when 1 then copy.setbyte(at - 1, copy.getbyte(at - 1) ^ (1 << random.rand(8))) unless copy.empty?
    when 2 then copy.insert(at, others.sample(random: random))
    when 3 then copy[at, 4] = others.sample(random: random)
    when 4 then copy.slice!(at, 1 + random.rand(4))
    else copy << copy.byteslice(at..)
    end
    copy
  end

  def mutations(bytes, others, count)
    Array.new(count) { (1 + random.rand(3)).times.inject(bytes) { |mutant, _| mutated(mutant, others) } }
  end

  metadata[:samples] = {}

  Pgconn::Codec.types.sort.each do |oid, name|
    formats = formats(oid)

    describe "of #{name} (#{oid})" do
      it "have samples that are read, and with equal values in both formats" do
        expect(samples(oid)).not_to be_empty, "#{name} needs a line in spec/support/sample_values.rb"
        samples(oid).each do |sample|
          values = formats.map { |format| Pgconn::Codec.decode(oid, sample[format].dup.force_encoding("UTF-8"), format: format) }
          expect(values.map(&:inspect).uniq.size).to eq(1), values.inspect
        end
      end

      formats.each do |format|
        describe "in #{format}" do
          it "give a value or raise DataError for what ends too early" do
            expect_no_defect(oid, format, inputs(oid, format).flat_map { |bytes| truncated(bytes) })
          end

          it "give a value or raise DataError for what has more behind it" do
            expect_no_defect(oid, format, inputs(oid, format).product(edges + pieces).map { |bytes, more| bytes.b + more })
          end

          it "give a value or raise DataError for mutations of values" do
            others = format == :text ? pieces : edges
            short = inputs(oid, format).select { |bytes| bytes.bytesize < 2000 }
            expect_no_defect(oid, format, short.flat_map { |bytes| mutations(bytes, others, 50) })
          end

          it "give a value or raise DataError for bytes that another client encoding doesn't have" do
            broken = ["\x81", "\xFE\xFE", "\x8F\xA1", "\x81\x30"].map(&:b) # half characters
            halves = inputs(oid, format).first(5).product(broken).map { |bytes, end_of_text| bytes.b + end_of_text }
            %w[EUC-JP Windows-31J GB18030 US-ASCII].each do |encoding|
              expect_no_defect(oid, format, halves.map { |bytes| bytes.dup.force_encoding(encoding) })
            end
          end

          it "give a value or raise DataError for any bytes" do
            expect_no_defect(oid, format, Array.new(100) { random.bytes(random.rand(40)) })
            expect_no_defect(oid, format, Array.new(100) { Array.new(random.rand(8)) { (edges + pieces).sample(random: random) }.join })
          end
        end
      end
    end
  end

  describe "of arrays" do
    # Dimensions, flags and type of the elements; each dimension's length and lower bound; elements.
    def array(element, *lengths, dimensions: lengths.size, elements: [])
      [dimensions, 0, element, *lengths.flat_map { |length| [length, 1] }, *elements].pack("N*")
    end

    # Types and those of their elements.
    def arrays(format)
      types = Pgconn::Codec.types.keys.select { |oid| self.class.formats(oid).include?(format) }
      types.to_h { |oid| [oid, SampleValues.new(observer).element_of(oid)] }.compact
    end

    def expect_all_malformed(oid, format, inputs)
      given = inputs.filter_map do |bytes|
        [bytes[0, 60], Pgconn::Codec.decode(oid, bytes, format: format)]
      rescue Pgconn::DataError
        nil
      end
      expect(given).to eq([])
    end

    null = 2**32 - 1
    box_array = 1020 # the only one without commas

    def endless = ["{" * 100_000, "#{"{" * 100_000}#{"}" * 100_000}"]

    it "refuse headers that claim more elements than there are bytes" do
      arrays(:binary).each do |oid, element|
        claims = [[2**31 - 1], [2**31], [2**32 - 1], [1, 2**31 - 1], [2**16, 2**16], [2**31 - 1] * 6, [2]]
        expect_all_malformed(oid, :binary, claims.map { |lengths| array(element, *lengths, elements: [null]) })
      end
    end

    it "refuse other than 0 to 6 dimensions" do
      arrays(:binary).each do |oid, element|
        headers = [7, 100, 2**31 - 1, 2**31, 2**32 - 1].map { |number| array(element, 1, dimensions: number, elements: [null]) }
        expect_all_malformed(oid, :binary, [*headers, array(element, *[1] * 7, elements: [null])])
      end
    end

    it "refuse elements of another type, of no possible length, and what is behind them" do
      arrays(:binary).each do |oid, element|
        lengths = [2**31 - 1, 2**31, 2**32 - 2, 1_000]
        inputs = lengths.map { |length| array(element, 1, elements: [length, 0]) }
        inputs << array(element + 1, 1, elements: [null]) << array(element, 1, elements: [null, 0]) << array(element, elements: [0])
        expect_all_malformed(oid, :binary, inputs)
      end
    end

    it "refuse texts that don't end, have more than 6 dimensions, or rows of other lengths" do
      arrays(:text).each_key do |oid|
        unended = ["", " ", "{", "{{", "{NULL", "{NULL,", "{\"", "{\"\\", "{NULL\\", "[1:1={NULL}", "[1:1]NULL"]
        overdone = ["}", "{}}", "{NULL,}", "{,NULL}", "{NULL}{NULL}", "{{{{{{{NULL}}}}}}}"]
        ragged = ["{{NULL},{NULL,NULL}}", "{{NULL},NULL}", "{NULL,{NULL}}", "[1:2]={NULL}"]
        texts = [*unended, *overdone, *ragged, *endless]
        texts = texts.map { |text| text.tr(",", ";") } if oid == box_array
        expect_all_malformed(oid, :text, texts)
      end
    end

    it "refuse in a Fiber, whose stack is small, what is nested without end" do
      arrays(:text).each_key do |oid|
        Fiber.new { expect_all_malformed(oid, :text, endless) }.resume
      end
    end
  end

  describe "of json" do
    # What comes of so many levels: the value's class or the exception's.
    def read(oid, levels)
      Pgconn::Codec.decode(oid, "#{"[" * levels}#{"]" * levels}").class
    rescue StandardError, SystemStackError => e
      e.class
    end

    def read_all
      %w[json jsonb].product([1000, 1001, 10_000, 1_000_000]).map do |name, levels|
        read(Pgconn::Codec.types.key(name), levels)
      end
    end

    it "read 1,000 levels and refuse more, also in a Fiber" do
      expected = [Array, *[Pgconn::DataError] * 3] * 2
      expect(read_all).to eq(expected)
      expect(Fiber.new { read_all }.resume).to eq(expected)
    end
  end
end
