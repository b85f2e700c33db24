"""Who and what the examples are about: the same ids in all of them."""

from typing import Any

SUPPLIER, BAKERY = "sup_019caa01f3b07d1e9a4c52b8e6f0", "sup_019caa02b4c81f6d0e3a97c5b2d4"
LEADER = "ldr_019caa03c5d92a7e1f4b08d6c3e5"
PRODUCT, EGGS = "prd_019caa04d6ea3b8f205c19e7d4f6", "sku_019caa04d6ea7c1b5e8f2a9d3c60"
BREAD = "sku_019caa05e7fb4c90316d2af8e507"
CAMPAIGN = "cmp_019caa06f80c5da1427e3b09f618"
ORDER, PAYMENT = "ord_019cad3f5e2088f1c2d3e4a5b6c7", "pay_019cad3f5e2088f1c2d3e4a5b6c7"
DISPATCH, OTHER_DISPATCH = "dsp_5b1e9c07a3f2d84e6b90c1d7a2f3", "dsp_c8d20f4b7e61a95310d8b2e4f6a7"
REFUND = "rfd_7f3a1c5e9b2d40688ac4e6f01b3d"
AFTER_SALES = "aft_019cb4a2c7d15e8f90a1b2c3d4e5"
ENDPOINT, DELIVERY = "whe_019caa071a2b6eb2538f4c1a0729", "whd_2c4e6f8a0b1d3f5e7a9c0d2e4f60"
API_KEY = "key_019caa082b3c7fc3649a5d2b183a"
CASE = "cas_91b3d5f7092a4c6e8f10a2b4c6d8"
RUN = "run_2026-03-11"

ADDRESS: dict[str, Any] = {
    "name": "Ada Nguyễn",
    "phone": "+49 30 5550123",
    "line1": "Lindenallee 4",
    "city": "Potsdam",
    "postal_code": "14467",
    "country": "DE",
}
FULL_ADDRESS: dict[str, Any] = {**ADDRESS, "line2": None, "region": None}
