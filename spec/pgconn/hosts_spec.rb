# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Several hosts" do
  let(:primary) { server }
  let(:standby) { SharedServers.standby }

  # All servers of the run listen on one address: hosts are told apart by their ports.
  def connect_to(*ports, **keywords)
    connect_tcp(host: (["127.0.0.1"] * ports.size).join(","), port: ports.join(","), **keywords)
  end

  def port_of(connection)
    connection.execute("SELECT inet_server_port()").fetch_value
  end

  # The ports, or what else tells hosts apart, in the order in which the error of a connect names them.
  def tried(host = /port (\d+) failed/)
    yield
  rescue Pgconn::OperationalError => e
    e.message.scan(host).flatten
  end

  # How many connections to the primary the block makes.
  def connections_to_primary
    through_proxy do |proxy|
      yield proxy.port
      proxy.connections
    end
  end

  it "may be given in a URI" do
    connection = connect("postgresql://postgres@127.0.0.1:#{closed_port},127.0.0.1:#{server.port}/postgres")
    expect(port_of(connection)).to eq(server.port)
  end

  it "may be given in a key/value string" do
    ports = [closed_port, server.port].join(",")
    expect(port_of(connect("host=127.0.0.1,127.0.0.1 port=#{ports} user=postgres dbname=postgres"))).to eq(server.port)
  end

  it "may be given in the environment" do
    with_environment("PGHOST" => "127.0.0.1,127.0.0.1", "PGPORT" => "#{closed_port},#{server.port}") do
      expect(port_of(connect(nil, user: "postgres", dbname: "postgres"))).to eq(server.port)
    end
  end

  it "share a port that is given once" do
    expect(port_of(connect_tcp(host: "127.0.0.2,127.0.0.1"))).to eq(server.port)
  end

  it "may be sockets and addresses" do
    connection = connect(host: "/nonexistent,#{server.socket_directory}", port: server.port)
    expect(connection.info.host).to eq(server.socket_directory)
  end

  it "may be given by hostaddr alone, or beside names that are not resolved then" do
    expect(port_of(connect_tcp(host: nil, hostaddr: "127.0.0.2,127.0.0.1"))).to eq(server.port)
    connection = connect_tcp(host: "a.invalid,b.invalid", hostaddr: "127.0.0.2,127.0.0.1")
    expect(connection.info).to have_attributes(host: "b.invalid", hostaddr: "127.0.0.1")
  end

  it "are skipped by one that refuses everybody for now" do
    expect(port_of(connect_to(SharedServers.refusing.port, server.port))).to eq(server.port)
  end

  it "are not tried any further where one refuses this user" do
    expect(tried { connect_to(server.port, closed_port, user: "nobody") }).to eq([server.port.to_s])
  end

  it "raise ProgrammingError where the lists don't match, before any traffic" do
    SilentHost.open do |host|
      { { host: "127.0.0.1,127.0.0.1", hostaddr: "127.0.0.1" } => /hostaddr has 1 value, and host has 2/,
        { host: "127.0.0.1,127.0.0.1", port: ([host.port] * 3).join(",") } => /port has 3 values, and there are 2 hosts/,
        { host: nil, port: "1,2" } => /port has 2 values, and there is 1 host/ }.each do |lists, message|
        expect { connect_tcp(port: host.port, connect_timeout: 1, **lists) }.to raise_error(Pgconn::ProgrammingError, message)
      end
      expect(host).not_to be_called
    end
  end

  it "raise ProgrammingError for a port that there can't be, before any traffic" do
    SilentHost.open do |host|
      [99_999, 65_536, 0, -1, 2**70, 1.5, "x", "5432x", "0x1538", "#{host.port},65536"].each do |port|
        expect { connect_tcp(host: "127.0.0.1,127.0.0.1", port: port, connect_timeout: 1) }
          .to raise_error(Pgconn::ProgrammingError, /port must be a number from 1 to 65535/)
      end
      expect(host).not_to be_called
    end
  end

  it "may leave the port of one to the default, and have blanks round them" do
    expect(port_of(connect_to(" #{closed_port} ", " #{server.port}"))).to eq(server.port)
    expect(tried { connect("postgresql://nobody@127.0.0.1,127.0.0.1:#{closed_port}/x") }.first).to eq("5432")
  end

  it "each have the password that the password file has for their name" do
    Dir.mktmpdir do |directory|
      file = File.join(directory, "pgpass")
      File.write(file, "localhost:#{server.port}:*:pgconn_password:#{PostgresServer::PASSWORD}\n", perm: 0o600)
      connection = connect_tcp(host: "127.0.0.2,localhost", user: "pgconn_password", passfile: file)
      expect(connection.info.used_password?).to be(true)
    end
  end

  it "each have the certificate that is for their name checked" do
    connection = connect_tcp(host: "127.0.0.2,localhost", sslmode: "verify-full", sslrootcert: server.root_certificate)
    expect(connection.info).to have_attributes(host: "localhost", ssl_in_use?: true)
  end

  describe "with target_session_attrs" do
    {
      "any" => :first, "read-write" => :primary, "read-only" => :standby, "primary" => :primary,
      "standby" => :standby, "prefer-standby" => :standby
    }.each do |wanted, expected|
      it "#{wanted}: the first that fits is taken, whatever the order" do
        [[primary.port, standby.port], [standby.port, primary.port]].each do |ports|
          port = { first: ports.first, primary: primary.port, standby: standby.port }.fetch(expected)
          expect(port_of(connect_to(*ports, target_session_attrs: wanted))).to eq(port)
        end
      end
    end

    it "may be given in a URI" do
      hosts = "127.0.0.1:#{primary.port},127.0.0.1:#{standby.port}"
      connection = connect("postgresql://postgres@#{hosts}/postgres?target_session_attrs=standby")
      expect(port_of(connection)).to eq(standby.port)
    end

    it "may be given in the environment" do
      %w[standby prefer-standby].each do |wanted|
        with_environment("PGTARGETSESSIONATTRS" => wanted) do
          expect(port_of(connect_to(primary.port, standby.port))).to eq(standby.port)
        end
      end
    end

    it "tell a session that only reads from one that doesn't on a primary, too" do
      options = "-c default_transaction_read_only=on"
      expect(port_of(connect_to(primary.port, options: options, target_session_attrs: "read-only")))
        .to eq(primary.port)
      expect { connect_to(primary.port, options: options, target_session_attrs: "read-write") }
        .to raise_error(Pgconn::OperationalError, /read-only/)
    end

    it "prefer-standby: is content with a primary where there is no standby" do
      count = connections_to_primary do |port|
        expect(connect_to(closed_port, port, target_session_attrs: "prefer-standby")).to be_alive
      end
      expect(count).to eq(2)
    end

    it "prefer-standby: resolves each name once" do
      expect(Addrinfo).to receive(:getaddrinfo).with("localhost", any_args).once.and_call_original
      expect(port_of(connect_tcp(host: "localhost", target_session_attrs: "prefer-standby"))).to eq(primary.port)
    end

    it "prefer-standby: names each failure once where nobody answers" do
      ports = [closed_port, closed_port]
      expect(tried { connect_to(*ports, target_session_attrs: "prefer-standby") }).to eq(ports.map(&:to_s))
    end

    it "give a host that is silent connect_timeout, and go on" do
      SilentHost.open do |host|
        connection = connect_to(host.port, primary.port, standby.port, connect_timeout: 0.3,
                                                                       target_session_attrs: "standby")
        expect(port_of(connection)).to eq(standby.port)
      end
    end

    it "name every node of the wrong kind where no other is found" do
      through_proxy do |proxy|
        expect { connect_to(primary.port, proxy.port, target_session_attrs: "standby") }
          .to raise_error(Pgconn::OperationalError, /#{primary.port}.*standby.*#{proxy.port}.*standby/m)
      end
      expect { connect_to(standby.port, target_session_attrs: "primary") }
        .to raise_error(Pgconn::OperationalError, /#{standby.port}.*standby/)
    end

    it "raise ProgrammingError that names a value that doesn't exist, before any traffic" do
      expect(Addrinfo).not_to receive(:getaddrinfo)
      expect { connect_tcp(host: "localhost", target_session_attrs: "writable") }
        .to raise_error(Pgconn::ProgrammingError, /target_session_attrs.*"writable"/)
    end
  end

  describe "with load_balance_hosts" do
    let(:ports) { [closed_port.to_s, closed_port.to_s] }
    let(:hosts) { { host: "127.0.0.1,127.0.0.1", port: ports.join(","), user: server.user } }

    # The orders in which the block, which fails to connect, tries two hosts. One in 2^99 runs sees but one.
    def orders(*host, &block)
      seen = []
      100.times { (seen |= [tried(*host, &block)]).size == 2 and break }
      seen
    end

    it "random: are tried in any order" do
      expect(orders { connect_to(*ports, load_balance_hosts: "random") }).to contain_exactly(ports, ports.reverse)
    end

    it "random: are tried with the addresses of each name in any order" do
      allow(Addrinfo).to receive(:getaddrinfo).and_return([Addrinfo.tcp("127.0.0.1", 0), Addrinfo.tcp("127.0.0.2", 0)])
      failing = -> { connect_tcp(host: "localhost", port: closed_port, load_balance_hosts: "random") }
      expect(orders(/\((127[.\d]+)\)/, &failing)).to contain_exactly(%w[127.0.0.1 127.0.0.2], %w[127.0.0.2 127.0.0.1])
    end

    it "random: connects to one that answers" do
      connection = connect_to(closed_port, server.port, closed_port, load_balance_hosts: "random")
      expect(port_of(connection)).to eq(server.port)
    end

    it "disable, and by default: are tried in their order" do
      [{ load_balance_hosts: "disable" }, {}].each do |keywords|
        expect(Array.new(10) { tried { connect_to(*ports, **keywords) } }.uniq).to eq([ports])
      end
    end

    it "may be given in a string, a URI or the environment, with any version of libpq" do
      ["load_balance_hosts=random",
       "application_name='a \\' b' load_balance_hosts = 'random' sslmode=disable",
       "postgresql:///?sslmode=disable&load_balance_hosts=random&application_name=a"].each do |conninfo|
        expect(orders { connect(conninfo, **hosts) }).to contain_exactly(ports, ports.reverse)
      end
      with_environment("PGLOADBALANCEHOSTS" => "random") do
        expect(orders { connect(nil, **hosts) }).to contain_exactly(ports, ports.reverse)
      end
    end

    it "leave the other keywords of the string as they are" do
      connection = connect("#{server.conninfo} application_name='load_balance_hosts=x' load_balance_hosts=random")
      expect(connection.parameter_status("application_name")).to eq("load_balance_hosts=x")
    end

    it "raise ProgrammingError that names a value that doesn't exist, before any traffic" do
      expect(Addrinfo).not_to receive(:getaddrinfo)
      ["host=localhost load_balance_hosts=round-robin", "postgresql://localhost/?load_balance_hosts=round-robin"]
        .each do |conninfo|
          expect { connect(conninfo) }
            .to raise_error(Pgconn::ProgrammingError, /load_balance_hosts.*"round-robin"/)
        end
    end
  end
end
