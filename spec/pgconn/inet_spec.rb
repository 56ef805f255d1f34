# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Inet do
  def inet(...) = described_class.new(...)

  it_behaves_like "a frozen value" do
    let(:value) { inet("192.168.1.5/24") }
    let(:same) { inet("192.168.1.5", 24) }
    let(:others) { [inet("192.168.1.5"), inet("192.168.1.4/24"), inet("2001:db8::1/64"), inet("::ffff:192.168.1.5/120")] }
  end

  # The argument, address, prefix, text.
  [
    ["192.168.1.5", "192.168.1.5", 32, "192.168.1.5"],
    ["192.168.1.5/24", "192.168.1.5", 24, "192.168.1.5/24"],
    ["192.168.1.5/32", "192.168.1.5", 32, "192.168.1.5"],
    ["0.0.0.0/0", "0.0.0.0", 0, "0.0.0.0/0"],
    ["255.255.255.255", "255.255.255.255", 32, "255.255.255.255"],
    ["2001:db8::1", "2001:db8::1", 128, "2001:db8::1"],
    ["2001:0DB8:0:0:0:0:0:1/64", "2001:db8::1", 64, "2001:db8::1/64"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", 128, "2001:db8::1:0:0:1"],
    ["::/0", "::", 0, "::/0"],
    ["::1/128", "::1", 128, "::1"],
    ["::ffff:1.2.3.4/96", "::ffff:1.2.3.4", 96, "::ffff:1.2.3.4/96"],
    ["::ffff:102:304", "::ffff:1.2.3.4", 128, "::ffff:1.2.3.4"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", 128, "1:2:3:4:5:6:7:8"],
    ["fe80::", "fe80::", 128, "fe80::"]
  ].each do |argument, address, prefix, text|
    it "has address and prefix of #{argument}" do
      value = inet(argument)
      expect(value).to have_attributes(address: address, prefix: prefix, to_s: text)
      expect(value).to eql(inet(address, prefix)).and eql(inet(text))
    end
  end

  it "leaves the String that it is made of alone" do
    text = +"192.168.1.5"
    value = inet(text)
    text << "0"
    expect(value.address).to eq("192.168.1.5").and be_frozen
  end

  it "knows the family" do
    expect(inet("1.2.3.4")).to have_attributes(ipv4?: true, ipv6?: false)
    expect(inet("::1.2.3.4")).to have_attributes(ipv4?: false, ipv6?: true)
  end

  it "tells networks from hosts" do
    networks = %w[10.0.0.0/8 10.0.0.1 0.0.0.0/0 2001:db8::/32 ::1 192.168.1.4/30]
    hosts = %w[10.0.0.1/8 0.0.0.1/0 2001:db8::1/32 ::1/127 192.168.1.4/29]
    expect((networks + hosts).select { |text| inet(text).network? }).to eq(networks)
  end

  it "gives the network as an IPAddr" do
    expect(inet("192.168.1.5/24").to_ipaddr).to eq(IPAddr.new("192.168.1.0/24")).and have_attributes(prefix: 24)
    expect(inet("2001:db8::1").to_ipaddr).to eq(IPAddr.new("2001:db8::1")).and have_attributes(prefix: 128)
  end

  describe "the order" do
    let(:ordered) do
      %w[0.0.0.0/0 1.2.3.4/0 10.0.0.0/8 10.0.0.0/16 10.0.0.5/16 10.0.0.0 10.0.0.1 10.1.0.0/16 11.0.0.0/8 255.255.255.255
         ::/0 ::1 2001:db8::/32 2001:db8::/64 2001:db8::1/64 2001:db8::1].map { |text| inet(text) }
    end

    it "is PostgreSQL's: IPv4 first, then by the network, the larger one first, then by the host" do
      expect(ordered.shuffle(random: Random.new(RSpec.configuration.seed)).sort).to eq(ordered)
    end

    it "isn't there for anything else" do
      expect(inet("10.0.0.1") <=> "10.0.0.1").to be_nil
      expect { inet("10.0.0.1") < IPAddr.new("10.0.0.2") }.to raise_error(ArgumentError)
    end
  end

  it "is known to pattern matching" do
    case inet("10.0.0.1/8")
    in { address:, prefix: 8 }
      expect(address).to eq("10.0.0.1")
    end
    case inet("10.0.0.1/8")
    in [address, prefix]
      expect([address, prefix]).to eq(["10.0.0.1", 8])
    end
  end

  it "has a readable inspect" do
    expect(inet("10.0.0.1/8").inspect).to eq("#<Pgconn::Inet 10.0.0.1/8>")
  end

  describe "what it is called with" do
    it "raises TypeError that says what is accepted" do
      expect { inet(IPAddr.new("10.0.0.1")) }.to raise_error(TypeError, "address must be a String, not IPAddr")
      expect { inet(nil) }.to raise_error(TypeError, "address must be a String, not NilClass")
      expect { inet("10.0.0.1", "8") }.to raise_error(TypeError, "prefix must be an Integer, not String")
    end

    ["", "/", "/8", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/8/8", "10.0.0.1/255.0.0.0", "10.0.0", "10.0.0.256", "10.0.0.1.2",
     "10.0.0.01", "0x0a.0.0.1", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1\n", "10.0.0.1\0", "::1/129", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
     "12345::", "g::", "[::1]", "fe80::1%eth0", "::1.2.3", "localhost", "1", "a"].each do |text|
      it "raises ArgumentError for #{text.inspect}" do
        expect { inet(text) }.to raise_error(ArgumentError, "not an address of IPv4 or IPv6: #{text.inspect}")
      end
    end

    it "raises ArgumentError for a prefix that the address doesn't have" do
      expect { inet("10.0.0.1", 33) }.to raise_error(ArgumentError, %r{10\.0\.0\.1/33})
      expect { inet("10.0.0.1", -1) }.to raise_error(ArgumentError)
      expect { inet("10.0.0.1/8", 8) }.to raise_error(ArgumentError)
    end
  end
end
