// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";

/// @dev An honest token that tells payer and payee of it, as those of ERC-777 do: the one before, the other after.
contract TellingToken is ERC20 {
    constructor() ERC20("Telling", "TEL") {}

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from.code.length != 0) Told(from).told();
        super._update(from, to, value);
        if (to.code.length != 0) Told(to).told();
    }
}

/// @dev Does one call when a token tells it something, and remembers what came of it.
contract Told {
    address private _target;
    bytes private _call;
    uint256 public calls;
    bool public done;
    bytes public answer;

    function plan(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function told() external {
        if (_target == address(0)) return;
        (address target, bytes memory call) = (_target, _call);
        _target = address(0); // once
        ++calls;
        (done, answer) = target.call(call);
    }

    function execute(address target, bytes calldata call) external {
        (bool done_, bytes memory answer_) = target.call(call);
        if (done_) return;
        assembly ("memory-safe") {
            revert(add(answer_, 32), mload(answer_))
        }
    }
}

/// @dev Hands out something for a part as soon as it reads as paid.
contract Shop {
    uint256 public handedOut;

    function claim(IClearingHouse house, bytes32 source, uint32 part) external {
        if (house.getPart(source, part).status == IClearingHouse.PartStatus.Paid) ++handedOut;
    }
}

/// @dev An EIP-1271 wallet that burns all the gas it is asked with, or answers with a megabyte.
contract Glutton {
    bool private _bomb;

    function answerMuch() external {
        _bomb = true;
    }

    function execute(address target, bytes calldata call) external {
        (bool done,) = target.call(call);
        require(done, "failed");
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        if (_bomb) {
            assembly ("memory-safe") {
                return(0, 1000000)
            }
        }
        while (true) {}
        return this.isValidSignature.selector;
    }
}

/// @dev An EIP-1271 wallet that signs everything, or nothing: what a signature is does not matter here.
contract Willing {
    bool private _willing;

    function set(bool willing) external {
        _willing = willing;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return _willing ? this.isValidSignature.selector : bytes4(0);
    }
}
