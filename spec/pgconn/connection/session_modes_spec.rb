# frozen_string_literal: true

require "spec_helper"

RSpec.describe "The modes of transactions" do
  let(:connection) { connect }

  # What the transaction that is begun for it, or the statement's own, says of itself, and then ends.
  def shown(name)
    connection.execute("SHOW #{name}").fetch_value.tap { connection.rollback }
  end

  def level = shown("transaction_isolation")

  def status = connection.transaction_status

  describe "isolation_level" do
    names = { 1 => "read committed", 2 => "repeatable read", 3 => "serializable", 4 => "read uncommitted" }

    it "is the server's default, as an Integer, while none was chosen" do
      expect(connection.isolation_level).to eq(Pgconn::ISOLATION_LEVEL_READ_COMMITTED)
      other = connect(options: "-c default_transaction_isolation=serializable")
      expect(other.isolation_level).to eq(Pgconn::ISOLATION_LEVEL_SERIALIZABLE)
    end

    it "asks for that default once, and begins no transaction for it" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port)
        expect(proxy.round_trips { connection.isolation_level }).to eq(1)
        expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
        expect(proxy.round_trips { connection.isolation_level }).to eq(0)
      end
    end

    it "is asked for in an open transaction, too, and disturbs it not" do
      connection.execute("SELECT 1")
      expect([connection.isolation_level, status]).to eq([1, Pgconn::TRANSACTION_STATUS_INTRANS])
    end

    it "is READ COMMITTED where it can't be asked: in a failed transaction, closed, lost" do
      strict = -> { connect(options: "-c default_transaction_isolation=serializable") }
      failed, closed, lost = Array.new(3) { strict.call }
      expect { failed.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      closed.close
      expect { lost.execute("SELECT pg_terminate_backend(pg_backend_pid())") }.to raise_error(Pgconn::ConnectionLost)
      expect([failed, closed, lost].map(&:isolation_level)).to eq([1, 1, 1])
      failed.rollback
      expect(failed.isolation_level).to eq(3)
    end

    it "leaves BEGIN plain while none was chosen, so that the server's default holds" do
      sent = +"".b
      through_proxy(to_server: ->(bytes, _) { bytes.tap { sent << bytes } }) do |proxy|
        connection = connect_tcp(port: proxy.port, options: "-c default_transaction_isolation=serializable")
        expect(connection.execute("SHOW transaction_isolation").fetch_value).to eq("serializable")
      end
      expect(sent).to include("BEGIN\0")
    end

    names.each do |number, name|
      it "#{number} is #{name.upcase}: transactions begin with it" do
        connection.isolation_level = number
        expect([connection.isolation_level, level]).to eq([number, name])
      end

      it "#{number} can be given by its name in any case, with spaces or underscores, as String or Symbol" do
        [name, name.upcase, name.tr(" ", "_"), name.tr(" ", "_").to_sym, name.capitalize.to_sym].each do |given|
          connection.isolation_level = nil
          connection.isolation_level = given
          expect(connection.isolation_level).to eq(number)
        end
      end
    end

    it "nil, and :default, leave it to the server again" do
      [nil, :default, "DEFAULT", Pgconn::ISOLATION_LEVEL_DEFAULT].each do |default|
        connection.isolation_level = :serializable
        connection.isolation_level = default
        expect([connection.isolation_level, level]).to eq([1, "read committed"])
      end
    end

    it "is chosen by set_isolation_level, too" do
      connection.set_isolation_level(Pgconn::ISOLATION_LEVEL_REPEATABLE_READ)
      expect(level).to eq("repeatable read")
    end

    [-1, 5, "serialisable", :none, 1.0, "", true, 2**70].each do |wrong|
      it "#{wrong.inspect} is an ArgumentError that names what is accepted, and changes nothing" do
        connection.isolation_level = :serializable
        expect { connection.isolation_level = wrong }
          .to raise_error(ArgumentError, /:read_committed.*:repeatable_read.*:serializable.*:read_uncommitted.*:default/)
        expect { connection.set_session(isolation: wrong) }.to raise_error(ArgumentError, /:serializable/)
        expect { connection.transaction(isolation: wrong) { nil } }.to raise_error(ArgumentError, /:serializable/)
        expect(connection.isolation_level).to eq(3)
      end
    end
  end

  describe "autocommit and the level 0" do
    it "are the same switch" do
      connection.isolation_level = Pgconn::ISOLATION_LEVEL_AUTOCOMMIT
      expect([connection.autocommit, connection.isolation_level]).to eq([true, 0])
      connection.autocommit = false
      connection.autocommit = true
      expect(connection.isolation_level).to eq(0)
      connection.execute("SELECT 1")
      expect(status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "are on or off with true and false, and off with nil" do
      [true, nil, true, false].each { |on| connection.autocommit = on }
      expect(connection.autocommit).to be(false)
      expect([true, false, nil].map { |on| connect(autocommit: on).autocommit }).to eq([true, false, false])
    end

    ["off", "false", 0, 1, :on, Object.new].each do |wrong|
      it "take nothing else, which might be meant as off: #{wrong.inspect.sub(/0x\h+/, "")}" do
        message = /autocommit must be true, false or nil, not/
        expect { connection.autocommit = wrong }.to raise_error(ArgumentError, message)
        expect(connection.autocommit).to be(false)
        expect { connect("host=127.0.0.1 port=#{closed_port}", autocommit: wrong) }.to raise_error(ArgumentError, message)
      end
    end

    it "end with a level of 1 to 4, which holds from then on" do
      connection.autocommit = true
      connection.isolation_level = :repeatable_read
      expect([connection.autocommit, connection.isolation_level, level]).to eq([false, 2, "repeatable read"])
    end

    it "end with nil, too" do
      connection.isolation_level = 3
      connection.autocommit = true
      connection.isolation_level = nil
      expect([connection.autocommit, level]).to eq([false, "read committed"])
    end

    it "bring back the level set before, when autocommit ends" do
      connection.isolation_level = :serializable
      connection.isolation_level = 0
      connection.autocommit = false
      expect([connection.isolation_level, level]).to eq([3, "serializable"])
    end

    it "keep a level of set_session for then, and for transaction { }" do
      connection.set_session(isolation: :serializable, autocommit: true)
      expect([connection.autocommit, connection.isolation_level, level]).to eq([true, 0, "read committed"])
      expect(connection.transaction { connection.execute("SHOW transaction_isolation").fetch_value }).to eq("serializable")
      connection.autocommit = false
      expect(level).to eq("serializable")
    end

    it "stay as they are where set_session gives a level alone" do
      connection.autocommit = true
      connection.set_session(isolation: 2)
      expect([connection.autocommit, connection.isolation_level]).to eq([true, 0])
    end
  end

  describe "read_only and deferrable" do
    it "are nil while they are left to the server" do
      expect([connection.read_only, connection.deferrable]).to eq([nil, nil])
      other = connect(options: "-c default_transaction_read_only=on")
      expect(other.execute("SHOW transaction_read_only").fetch_value).to eq("on")
    end

    %w[read_only deferrable].each do |name|
      it "go with BEGIN: #{name}" do
        connection.public_send(:"#{name}=", true)
        expect([connection.public_send(name), shown("transaction_#{name}")]).to eq([true, "on"])
      end

      it "overrule the server's default with false: #{name}" do
        connection = connect(options: "-c default_transaction_#{name}=on")
        connection.public_send(:"#{name}=", false)
        expect(connection.execute("SHOW transaction_#{name}").fetch_value).to eq("off")
      end

      it "are left to the server again with nil or :default: #{name}" do
        [nil, :default, "default"].each do |default|
          connection.public_send(:"#{name}=", true)
          connection.public_send(:"#{name}=", default)
          expect([connection.public_send(name), shown("transaction_#{name}")]).to eq([nil, "off"])
        end
      end

      it "take nothing else: #{name}" do
        [1, 0, "on", :off, []].each do |wrong|
          expect { connection.public_send(:"#{name}=", wrong) }.to raise_error(ArgumentError, /#{name} must be true, false/)
          expect { connection.set_session("#{name}": wrong) }.to raise_error(ArgumentError, /#{name} must be true, false/)
        end
      end

      it "become SET default_transaction_#{name} in autocommit, and go back to DEFAULT when that ends" do
        connection.public_send(:"#{name}=", true)
        expect(shown("default_transaction_#{name}")).to eq("off")
        connection.autocommit = true
        expect([shown("default_transaction_#{name}"), shown("transaction_#{name}")]).to eq(%w[on on])
        connection.autocommit = false
        expect([shown("default_transaction_#{name}"), shown("transaction_#{name}")]).to eq(%w[off on])
      end
    end

    it "refuse writing" do
      observer.execute("CREATE TABLE kept (id int)")
      connection.read_only = true
      expect { connection.execute("DROP TABLE kept") }.to raise_error(Pgconn::Errors::ReadOnlySqlTransaction)
      connection.rollback
      connection.autocommit = true
      expect { connection.execute("DROP TABLE kept") }.to raise_error(Pgconn::Errors::ReadOnlySqlTransaction)
      connection.read_only = nil
      connection.execute("DROP TABLE kept")
    end

    it "cost no round trip of their own, in autocommit either" do
      through_proxy(delay: 0.03) do |proxy|
        connection = connect_tcp(port: proxy.port, autocommit: true)
        connection.execute("SELECT 1")
        expect(proxy.round_trips { connection.set_session(read_only: true, deferrable: true) }).to eq(0)
        expect(proxy.round_trips { connection.execute("SELECT 1") }).to eq(1)
        expect(proxy.round_trips { connection.autocommit = false }).to eq(0)
        expect(proxy.round_trips { connection.execute("SELECT 1") }).to eq(1)
      end
    end

    ["RESET ALL", "DISCARD ALL", "RESET default_transaction_read_only; SELECT 1"].each do |sql|
      it "hold on in autocommit after #{sql}" do
        connection.set_session(autocommit: true, read_only: true)
        connection.execute("SELECT 1")
        connection.execute(sql)
        expect(shown("transaction_read_only")).to eq("on")
      end
    end

    it "don't send the level with anything but BEGIN" do
      connection.set_session(autocommit: true, isolation: :serializable, read_only: true)
      expect(shown("default_transaction_isolation")).to eq("read committed")
    end
  end

  describe "set_session" do
    it "changes several modes at once, and gives nil" do
      expect(connection.set_session(isolation: "Serializable", read_only: true, deferrable: true)).to be_nil
      modes = %w[isolation read_only deferrable].map { |name| connection.execute("SHOW transaction_#{name}").fetch_value }
      expect(modes).to eq(%w[serializable on on])
    end

    it "leaves what is nil, and gives back to the server what is :default" do
      connection.set_session(isolation: 3, read_only: true, deferrable: true)
      connection.set_session(isolation: nil, read_only: :default)
      expect([connection.isolation_level, connection.read_only, connection.deferrable]).to eq([3, nil, true])
      connection.set_session(isolation: :default, deferrable: :default)
      expect([connection.isolation_level, connection.deferrable]).to eq([1, nil])
    end

    it "switches autocommit, by its name or by the level 0" do
      connection.set_session(autocommit: true)
      expect(connection.autocommit).to be(true)
      connection.set_session(autocommit: false)
      expect(connection.autocommit).to be(false)
      connection.set_session(isolation: 0)
      expect(connection.autocommit).to be(true)
    end

    it "takes no other autocommit than true and false, and none that contradicts the level" do
      expect { connection.set_session(autocommit: "off") }.to raise_error(ArgumentError, /autocommit/)
      expect { connection.set_session(isolation: 0, autocommit: false) }.to raise_error(ArgumentError, /autocommit/)
    end

    it "changes nothing where one of them is wrong" do
      expect { connection.set_session(isolation: 3, read_only: "perhaps") }.to raise_error(ArgumentError)
      expect([connection.isolation_level, connection.read_only]).to eq([1, nil])
    end
  end

  describe "reset" do
    it "gives all of them back to the server, and autocommit to what connect was told" do
      connection.set_session(isolation: 3, read_only: true, deferrable: true, autocommit: true)
      expect(shown("transaction_read_only")).to eq("on")
      connection.reset
      expect([connection.isolation_level, connection.read_only, connection.deferrable, connection.autocommit])
        .to eq([1, nil, nil, false])
      expect([level, shown("transaction_read_only"), shown("default_transaction_read_only")]).to eq(["read committed", "off", "off"])
    end
  end

  setters = {
    "autocommit=" => ->(connection) { connection.autocommit = true },
    "isolation_level=" => ->(connection) { connection.isolation_level = 3 },
    "set_isolation_level" => ->(connection) { connection.set_isolation_level(0) },
    "read_only=" => ->(connection) { connection.read_only = true },
    "deferrable=" => ->(connection) { connection.deferrable = true },
    "set_session" => ->(connection) { connection.set_session(isolation: 3, autocommit: true) }
  }

  setters.each do |name, set|
    describe name do
      def modes
        [connection.autocommit, connection.read_only, connection.deferrable]
      end

      it "raises ProgrammingError inside a transaction, and rolls nothing back" do
        connection.execute("CREATE TEMP TABLE kept (id int)")
        expect { set.call(connection) }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
        expect([*modes, status]).to eq([false, nil, nil, Pgconn::TRANSACTION_STATUS_INTRANS])
        expect(connection.execute("SELECT count(*) FROM kept").fetch_value).to eq(0)
      end

      it "raises ProgrammingError inside a failed transaction" do
        expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
        expect { set.call(connection) }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
        expect(modes).to eq([false, nil, nil])
      end

      it "raises ProgrammingError inside transaction { }, also before its first statement" do
        connection.transaction do
          expect { set.call(connection) }.to raise_error(Pgconn::ProgrammingError, /inside transaction/)
        end
        expect(modes).to eq([false, nil, nil])
      end

      it "raises InterfaceError on a closed connection, and ConnectionLost on a lost one" do
        closed, lost = Array.new(2) { connect }
        closed.close
        expect { set.call(closed) }.to raise_error(Pgconn::InterfaceError, /already closed/)
        expect { lost.execute("SELECT pg_terminate_backend(pg_backend_pid())") }.to raise_error(Pgconn::ConnectionLost)
        expect { set.call(lost) }.to raise_error(Pgconn::ConnectionLost)
      end

      it "waits for a statement under way, and raises where that has begun a transaction" do
        holder = connect(autocommit: true)
        holder.execute("SELECT pg_advisory_lock(31)")
        running = in_thread { connection.execute("SELECT 'first' FROM pg_advisory_xact_lock(31)").fetch_value }
        wait_until_running(connection.backend_pid, "'first'")
        setting = in_thread { set.call(connection) }
        eventually("the setter waits") { setting.stop? }
        holder.close
        expect(outcome_of(setting)).to be_a(Pgconn::ProgrammingError)
        expect(value_of(running)).to eq("first")
      end
    end
  end
end
