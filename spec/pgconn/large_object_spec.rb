# frozen_string_literal: true

require "spec_helper"
require "stringio"

RSpec.describe Pgconn::LargeObject do
  include LargeObjectHelpers

  let(:connection) { connect }
  let(:oid) { committed("0123456789") }

  # One that holds this.
  def holding(content, mode = "rw")
    connection.lobject(0, mode).tap do |object|
      object.write(content)
      object.rewind
    end
  end

  describe "that is made" do
    it "anew is empty, has an OID of the server's and can be read and written" do
      object = connection.lobject
      expect([object.oid.positive?, object.mode, object.tell, object.size, object.closed?]).to eq([true, "rwb", 0, 0, false])
      object.write("text")
      connection.commit
      expect(content_of(object.oid)).to eq("text")
    end

    it "of one that is there reads it from the beginning" do
      object = connection.lobject(oid)
      expect([object.oid, object.mode, object.read]).to eq([oid, "rb", "0123456789"])
    end

    { "r" => "rb", "w" => "wb", "rw" => "rwb", "rb" => "rb", "rwb" => "rwb", "rt" => "rt", "rwt" => "rwt",
      :w => "wb", "n" => "n", "nb" => "n" }.each do |mode, said|
      it "with mode #{mode.inspect} has the mode #{said.inspect}" do
        expect(connection.lobject(oid, mode).mode).to eq(said)
      end
    end

    ["", "x", "wr", "b", "rwx", "r b", "r+", "r\n", "R"].each do |mode|
      it "with mode #{mode.inspect} is an ArgumentError, and nothing is created" do
        expect { connection.lobject(0, mode) }.to raise_error(ArgumentError, /mode/)
        expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      end
    end

    it "with a mode that is no String is a TypeError" do
      expect { connection.lobject(0, 1) }.to raise_error(TypeError)
    end

    it "with mode n is created without being opened" do
      object = connection.lobject(0, "n")
      connection.commit
      expect([object.closed?, exists?(object.oid)]).to eq([true, true])
      expect { object.read }.to raise_error(Pgconn::InterfaceError)
    end

    it "with an OID of its own has that, up to 2**32 - 1" do
      object = connection.lobject(0, "w", new_oid: 4_294_967_295)
      object.write("last")
      expect([object.oid, connection.lobject(object.oid).read]).to eq([4_294_967_295, "last"])
    end

    it "with an OID that is taken raises the server's error" do
      expect { connection.lobject(0, new_oid: oid) }.to raise_error(Pgconn::Errors::UniqueViolation)
    end

    it "of one that isn't there raises the server's error" do
      expect { connection.lobject(4_294_967_294) }.to raise_error(Pgconn::Errors::UndefinedObject)
    end

    [-1, 4_294_967_296].each do |number|
      it "with OID #{number} is an ArgumentError" do
        expect { connection.lobject(number) }.to raise_error(ArgumentError)
        expect { connection.lobject(0, new_oid: number) }.to raise_error(ArgumentError)
      end
    end

    it "with an OID that is no Integer is a TypeError, and with two of them an ArgumentError" do
      expect { connection.lobject("1") }.to raise_error(TypeError)
      expect { connection.lobject(oid, new_oid: 5) }.to raise_error(ArgumentError, /new/)
    end

    it "of a class of the user's is of that, and of another class a TypeError" do
      own = Class.new(described_class)
      expect(connection.lobject(lobject_factory: own)).to be_an_instance_of(own)
      expect { connection.lobject(lobject_factory: String) }.to raise_error(TypeError, /lobject_factory/)
    end

    it "of a file holds what the file does" do
      content = sample(3_000_000)
      object = with_file(content) { |path| connection.lobject(0, "r", new_file: path) }
      expect([object.tell, object.mode, object.read]).to eq([0, "rb", content])
    end

    it "of a file with mode n is there but not open" do
      object = with_file("content") { |path| connection.lobject(0, "n", new_file: path) }
      connection.commit
      expect([object.closed?, content_of(object.oid)]).to eq([true, "content"])
    end

    it "of a file that isn't there is Errno::ENOENT, before anything is created or begun" do
      expect { connection.lobject(0, new_file: "/no/such/file") }.to raise_error(Errno::ENOENT)
      expect { connection.lobject(0, new_file: "/tmp") }.to raise_error(Errno::EISDIR)
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end
  end

  describe "that is read" do
    it "gives what was asked for, then what is left, then nothing" do
      object = connection.lobject(oid)
      expect([object.read(4), object.read(0), object.read(100), object.read(1), object.read, object.read(0)])
        .to eq(["0123", "", "456789", nil, "", ""])
    end

    it "gives bytes" do
      expect(connection.lobject(oid).read(2).encoding).to eq(Encoding::BINARY)
    end

    it "fills the String that it is given, also at the end" do
      object = connection.lobject(oid)
      buffer = +"before"
      expect([object.read(3, buffer), buffer]).to eq(%w[012 012])
      expect(object.readpartial(2, buffer)).to equal(buffer)
      object.read
      expect([object.read(3, buffer), buffer]).to eq([nil, ""])
    end

    it "stays where it is for what can't be filled" do
      object = connection.lobject(oid)
      expect { object.read(2, "") }.to raise_error(FrozenError)
      expect { object.read(2, []) }.to raise_error(TypeError, /outbuf/)
      expect { object.readpartial(2, 1) }.to raise_error(TypeError, /outbuf/)
      expect(object.read).to eq("0123456789")
    end

    it "by readpartial raises EOFError at the end" do
      object = connection.lobject(oid)
      expect([object.readpartial(20), object.readpartial(0)]).to eq(["0123456789", ""])
      expect { object.readpartial(1) }.to raise_error(EOFError)
    end

    it "with a negative length, or what is no number, raises, and stays where it is" do
      object = connection.lobject(oid)
      expect { object.read(-1) }.to raise_error(ArgumentError, /negative/)
      expect { object.read("x") }.to raise_error(ArgumentError)
      expect(object.read).to eq("0123456789")
    end

    [Pgconn::LargeObject.const_get(:Descriptor)::PIECE, 1 << 20, 2048].each do |edge|
      [-1, 0, 1].each do |more|
        it "gives all #{edge + more} bytes, in one piece, in large and in small ones" do
          content = sample(edge + more)
          object = connection.lobject(holding(content).oid)
          expect(object.read == content).to be(true)
          object.rewind
          pieces = [object.read(edge), object.read(edge)]
          expect(pieces.compact.join == content).to be(true)
          object.rewind
          expect(IO.copy_stream(object, copy = StringIO.new("".b))).to eq(content.bytesize)
          expect(copy.string == content).to be(true)
        end
      end
    end

    it "in small pieces is asked for in larger ones" do
      object = connection.lobject(committed(sample(1_000_000)))
      told = []
      connection.tracer = ->(event) { told << event.sql }
      IO.copy_stream(object, File::NULL)
      connection.tracer = nil
      expect(told.grep(/loread/).size).to be < 20
    end

    it "here and there keeps its position, whatever was read ahead" do
      content = sample(300_000)
      object = connection.lobject(committed(content))
      random = Random.new(1)
      300.times do
        object.seek(random.rand(content.bytesize)) if random.rand < 0.3
        at = object.tell
        wanted = content.byteslice(at, length = random.rand(1..9000))
        raise "wrong at #{at}" unless object.read(length).to_s == wanted
      end
    end

    it "says at the end that it is there, and goes on to be read in small pieces" do
      object = connection.lobject(oid)
      pieces = []
      pieces << object.read(3) until object.eof?
      expect([pieces, object.tell]).to eq([%w[012 345 678 9], 10])
    end

    it "while it is written gives what was written just now, by itself and by others" do
      object = holding("0123456789")
      object.read(2)
      connection.lobject(object.oid, "w").tap { |other| other.seek(4) }.write("xx")
      expect(object.read(4)).to eq("23xx")
      object.write("yy")
      object.seek(-4, IO::SEEK_CUR)
      expect(object.read).to eq("xxyy89")
    end

    it "while it is written gives behind its end what another has added there" do
      object = holding("0123456789")
      expect([object.read, object.eof?]).to eq(["0123456789", true])
      connection.lobject(object.oid, "w").tap { |other| other.seek(0, IO::SEEK_END) }.write("more")
      expect([object.eof?, object.read]).to eq([false, "more"])
    end
  end

  describe "that is written" do
    it "takes several values, and gives the number of bytes", :gc_stress do
      object = connection.lobject
      expect(object.write("ä", :b, 12)).to eq(5)
      object.rewind
      expect(object.read).to eq("äb12".b)
    end

    it "writes over what is there, and past the end zeros first" do
      object = holding("0123456789")
      object.seek(2)
      object.write("xx")
      object.seek(12)
      object.write("end")
      object.rewind
      expect(object.read).to eq("01xx456789\0\0end")
    end

    it "takes what IO.copy_stream gives" do
      content = sample(100_000)
      object = connection.lobject
      expect(IO.copy_stream(StringIO.new(content), object)).to eq(100_000)
      connection.commit
      expect(content_of(object.oid) == content).to be(true)
    end

    it "sends the pieces of a large String without waiting for each" do
      content = sample(1_000_000)
      through_proxy(delay: 0.05) do |proxy|
        object = connect_tcp(port: proxy.port).lobject.tap(&:flush)
        expect(proxy.round_trips { object.write(content) && object.flush }).to be <= 3
        object.rewind
        expect(object.read == content).to be(true)
      end
    end

    it "takes a file at its position" do
      object = holding("0123456789")
      object.seek(8)
      expect(with_file("import") { |path| object.import(path) }).to eq(6)
      object.rewind
      expect(object.read).to eq("01234567import")
    end

    it "is refused before anything is sent if it was opened for reading" do
      object = connection.lobject(oid)
      [-> { object.write("x") }, -> { object.truncate(1) }, -> { object.import(File::NULL) }].each do |call|
        expect(&call).to raise_error(Pgconn::ProgrammingError, /reading/)
      end
      expect(object.read).to eq("0123456789")
    end
  end

  describe "in text mode" do
    it "gives Strings in the client encoding, whole characters each" do
      text = "aä€𝄞" * 1000
      object = connection.lobject(holding(text).oid, "rt")
      pieces = []
      while (piece = object.read(5))
        pieces << piece
      end
      expect(pieces.all?(&:valid_encoding?)).to be(true)
      expect(pieces.join).to eq(text)
      expect([object.read, object.read.encoding]).to eq(["", Encoding::UTF_8])
    end

    it "keeps the position behind the last character" do
      object = connection.lobject(holding("€€").oid, "rt")
      expect([object.read(1), object.tell, object.read]).to eq(["€", 3, "€"])
      object = connection.lobject(holding("𝄞€").oid, "rt")
      expect([object.read(1), object.tell, object.read]).to eq(["𝄞", 4, "€"])
    end

    it "gives what is no text as it is" do
      object = connection.lobject(committed("\xFF\xFE\xE2".b), "rt")
      expect(object.read(1).bytes + object.read.bytes).to eq([0xFF, 0xFE, 0xE2])
    end

    it "writes text in the client encoding, and bytes as they are" do
      connection.client_encoding = "LATIN1"
      object = connection.lobject(0, "rwt")
      expect([object.write("ä"), object.write("\xE4".b)]).to eq([1, 1])
      object.rewind
      expect(object.read).to eq("ää".encode("ISO-8859-1"))
      expect { object.write("€") }.to raise_error(Pgconn::DataError)
      expect([connection.lobject(object.oid, "w").write, object.write("", "")]).to eq([0, 0])
    end
  end

  describe "in text mode where the client encoding is SQL_ASCII" do
    it "takes and gives the bytes of text" do
      connection.client_encoding = "SQL_ASCII"
      object = connection.lobject(0, "rwt")
      expect(object.write("ä")).to eq(2)
      object.rewind
      expect(object.read).to eq("ä".b)
    end
  end

  it "whose initialize didn't call super raises InterfaceError, and without a connection TypeError" do
    empty = Class.new(described_class) { def initialize(*) = nil }.new
    %i[read tell size unlink].each { |method| expect { empty.public_send(method) }.to raise_error(Pgconn::InterfaceError) }
    expect { empty.export(File::NULL) }.to raise_error(Pgconn::InterfaceError)
    expect([empty.close, empty.closed?]).to eq([nil, true])
    expect { described_class.new("no connection") }.to raise_error(TypeError)
  end

  describe "whose position" do
    it "is set from the beginning, from where it is and from the end" do
      object = connection.lobject(oid)
      places = [[3], [2, IO::SEEK_CUR], [-1, IO::SEEK_END], [1, :SET], [1, :CUR], [0, :END]].map do |arguments|
        [object.seek(*arguments), object.tell]
      end
      expect(places).to eq([[0, 3], [0, 5], [0, 9], [0, 1], [0, 2], [0, 10]])
      object.pos = 4
      expect([object.pos, object.rewind, object.pos]).to eq([4, 0, 0])
    end

    it "can't be negative or past 4 TB, and stays then" do
      object = connection.lobject(oid)
      object.seek(3)
      expect { object.seek(-4, IO::SEEK_CUR) }.to raise_error(Errno::EINVAL)
      expect { object.seek(1 << 42) }.to raise_error(Errno::EINVAL)
      expect { object.seek(0, 7) }.to raise_error(ArgumentError, /whence/)
      expect(object.read(2)).to eq("34")
    end

    it "may be past the end, where nothing is read" do
      object = connection.lobject(oid)
      object.seek(1000)
      expect([object.read, object.read(1), object.eof?, object.tell]).to eq(["", nil, true, 1000])
    end

    it "stays when it is truncated, which cuts off or extends with zeros" do
      object = holding("0123456789")
      object.seek(6)
      expect([object.truncate(4), object.tell, object.size, object.read]).to eq([0, 6, 4, ""])
      object.truncate(8)
      object.rewind
      expect(object.read).to eq("0123\0\0\0\0")
      [-1, (0x7FFF_FFFF * 2048) + 1].each { |size| expect { object.truncate(size) }.to raise_error(Errno::EINVAL) }
      expect(object.size).to eq(8)
    end

    it "and size go past 4 GB: one of 5 GB with nothing in between" do
      object = connection.lobject
      object.write("head")
      object.seek(5 << 30)
      object.write("tail")
      expect([object.size, object.tell]).to eq([(5 << 30) + 4, (5 << 30) + 4])
      reader = connection.lobject(object.oid)
      reader.seek(-6, IO::SEEK_END)
      expect([reader.tell, reader.read]).to eq([(5 << 30) - 2, "\0\0tail"])
      reader.seek((1 << 32) - 2)
      expect(reader.read(4)).to eq("\0" * 4)
      object.truncate((1 << 32) + 7)
      expect(object.size).to eq((1 << 32) + 7)
    end
  end

  describe "that is exported" do
    it "is in the file, whatever its position" do
      content = sample(9_000_000)
      object = holding(content)
      object.seek(7)
      Dir.mktmpdir do |folder|
        expect(object.export(path = File.join(folder, "export"))).to eq(9_000_000)
        expect(File.binread(path) == content).to be(true)
      end
      expect(object.tell).to eq(7)
    end

    it "to a full disk raises Errno::ENOSPC, and can be used" do
      object = holding(sample(2_000_000))
      expect { object.export("/dev/full") }.to raise_error(Errno::ENOSPC)
      expect([object.size, connection.transaction_status]).to eq([2_000_000, Pgconn::TRANSACTION_STATUS_INTRANS])
    end

    it "to where no file can be raises what File.open does" do
      expect { holding("x").export("/no/such/folder/file") }.to raise_error(Errno::ENOENT)
    end
  end

  describe "that is closed" do
    it "raises InterfaceError when it is read, written, moved or asked" do
      object = holding("0123456789").tap(&:close)
      calls = { read: [], readpartial: [1], write: ["x"], seek: [1], tell: [], rewind: [], truncate: [1], size: [],
                eof?: [], import: [File::NULL] }
      wrong = calls.select do |name, arguments|
        object.public_send(name, *arguments)
        true
      rescue Pgconn::InterfaceError => e
        !e.message.include?("closed")
      end
      expect(wrong).to eq({})
    end

    # What the server gives the next that is opened.
    def next_descriptor
      connection.execute("SELECT fd, lo_close(fd) FROM lo_open($1::int8::oid, 262144) AS fd", [oid]).fetch_value
    end

    { "close" => ->(conn, _) { conn.lobject.tap { |object| object.write("x") }.close },
      "export" => ->(conn, oid) { conn.lobject(oid, "n").export(File::NULL) },
      "an export that fails" => ->(conn, _) { conn.lobject(0, "n", new_file: __FILE__).export("/dev/full") },
      "being made of a file" => ->(conn, _) { conn.lobject(0, "n", new_file: __FILE__) },
      "unlink" => ->(conn, _) { conn.lobject.unlink } }.each do |how, ending|
      it "isn't open on the server any more, by #{how}" do
        before = next_descriptor
        begin
          ending.call(connection, oid)
        rescue Errno::ENOSPC
          nil
        end
        expect(next_descriptor).to eq(before)
      end
    end

    it "says so, can be closed again and knows its OID and mode" do
      object = connection.lobject(oid)
      expect([object.close, object.close, object.closed?, object.oid, object.mode]).to eq([nil, nil, true, oid, "rb"])
    end

    it "can be exported and unlinked, also in a later transaction" do
      object = holding("content").tap(&:close)
      other = connection.lobject(oid) # has the descriptor's number
      with_file("") { |path| object.export(path) && expect(File.read(path)).to(eq("content")) }
      expect(other.read).to eq("0123456789")
      connection.commit
      expect(object.unlink).to be_nil
      connection.commit
      expect(exists?(object.oid)).to be(false)
    end

    it "by unlink is gone, and a second unlink is the server's error" do
      object = connection.lobject(oid, "rw")
      object.unlink
      expect(object.closed?).to be(true)
      expect { object.read }.to raise_error(Pgconn::InterfaceError)
      expect { object.unlink }.to raise_error(Pgconn::Errors::UndefinedObject)
    end
  end
end
