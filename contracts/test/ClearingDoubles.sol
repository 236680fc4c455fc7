// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @dev A token that does what it is told: takes a fee, moves nothing, answers false, or calls somebody on the way.
contract TrickToken is ERC20 {
    uint256 public fee;
    uint256 public outerFee;
    bool public idle;
    bool public refusing;
    address public target;
    bytes public call;
    bool public called;

    constructor() ERC20("Trick", "TRK") {
        _mint(msg.sender, 1e24);
    }

    function set(uint256 fee_, bool idle_, bool refusing_) external {
        (fee, idle, refusing) = (fee_, idle_, refusing_);
    }

    /// @dev A fee that a transfer inside another does not take.
    function setOuterFee(uint256 fee_) external {
        outerFee = fee_;
    }

    /// @dev Lets somebody move the token's own tokens.
    function allow(address spender) external {
        _approve(address(this), spender, type(uint256).max);
    }

    /// @dev What the next transfer calls before it moves anything.
    function hook(address target_, bytes calldata call_) external {
        (target, call, called) = (target_, call_, false);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        address target_ = target;
        uint256 fee_ = from == address(this) ? fee : fee + outerFee;
        if (target_ != address(0)) {
            target = address(0);
            (called,) = target_.call(call);
        }
        if (refusing) return false;
        if (idle) return true;
        _spendAllowance(from, msg.sender, value);
        _transfer(from, to, value - fee_);
        if (fee_ != 0) _burn(from, fee_);
        return true;
    }
}

/// @dev A token of the kind that answers nothing.
contract SilentToken {
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    constructor() {
        balanceOf[msg.sender] = 1e24;
    }

    function approve(address spender, uint256 value) external {
        allowance[msg.sender][spender] = value;
    }

    function transferFrom(address from, address to, uint256 value) external {
        allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// @dev An EIP-1271 wallet of one key, which does what the key's owner sends it.
contract OneKeyWallet {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function execute(address target, bytes calldata call) external {
        require(msg.sender == _owner, "not the owner");
        (bool done,) = target.call(call);
        require(done, "failed");
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recover(digest, signature) == _owner ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @dev An EIP-1271 wallet that tries to change something while it is asked.
contract MeddlingWallet {
    address public target;
    bytes public call;

    function execute(address target_, bytes calldata call_) external {
        (bool done,) = target_.call(call_);
        require(done, "failed");
    }

    function onCheck(address target_, bytes calldata call_) external {
        (target, call) = (target_, call_);
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        if (target != address(0)) {
            (bool done,) = target.call(call);
            require(done, "failed");
        }
        return this.isValidSignature.selector;
    }
}
